/** The land of the world as outlines. Declared here is what we use of it. */
declare module "map-canvas" {
  import type { Canvas } from "drawille-canvas-blessed-contrib";

  export default class WorldOutlines {
    /** `width` and `height` in dots; `labelSpace` is the margin in dots; latitudes run from the north pole at the top to the south pole. */
    constructor(
      options: {
        width: number;
        height: number;
        labelSpace: number;
        excludeAntartica: boolean;
        disableBackground: boolean;
        disableMapBackground: boolean;
        disableGraticule: boolean;
        disableFill: boolean;
      },
      canvas: Canvas,
    );
    draw(): void;
  }
}

declare module "drawille-canvas-blessed-contrib" {
  export class Canvas {
    /** In dots: `width` a multiple of 2, `height` of 4. */
    constructor(width: number, height: number);
    getContext(): {
      /** The dots, a byte a cell, rows from the top: the low byte of the braille character (U+2800 and on). */
      _canvas: { content: Uint8Array };
    };
  }
  const all: { Canvas: typeof Canvas };
  export default all;
}
