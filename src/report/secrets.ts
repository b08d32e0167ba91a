// Files that hold passwords or keys, by ATT&CK T1003.008 (/etc/passwd and /etc/shadow), T1552.001 (credentials in files), T1552.003
// (shell history) and T1552.004 (private keys). Public keys and known_hosts are no secrets.
const SECRET =
  /(?:^|\/)(?:shadow-?|gshadow-?|id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?|\.(?:bash|zsh|mysql|psql)_history|\.netrc|\.pgpass|\.my\.cnf|\.git-credentials|\.vault-token|krb5\.keytab)$|\/\.(?:aws\/credentials|kube\/config|docker\/config\.json|gnupg\/)|\.(?:pem|key|kdbx|p12|pfx)$/;

/** The files with secrets that a command names. Whether it could read them is not in its arguments. */
export const secretsIn = (args: readonly string[]): string[] => args.slice(1).filter((arg) => SECRET.test(arg));
