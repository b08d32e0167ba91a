// What react-devtools-core is in the bundle: nothing.
export default {};
