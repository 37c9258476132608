/** 930: reads of files that no route serves. */
import { lineAndReferer, type Rule } from "./rule.ts";

const secretDirectories =
  "ssh|aws|git|svn|hg|env|docker|kube|gnupg|azure|gcloud|npm|subversion|bzr|vscode|idea";
const secretFiles =
  "bash_history|bash_profile|bashrc|zsh_history|zshrc|history|profile|netrc|npmrc|pypirc|pgpass|my\\.cnf|mysql_history|psql_history|htaccess|htpasswd|dockercfg|gitconfig|viminfo|rhosts|wgetrc|yarnrc|gitignore|gitlab-ci\\.yml|travis\\.yml";

export const fileRules: readonly Rule[] = [
  {
    id: "930-traversal",
    reads: "text",
    pattern: /(?:^|[\\/=;:'"\s\u0001])\.{2,3};?[\\/]/,
    places: lineAndReferer,
  },
  {
    id: "930-traversal-header",
    reads: "text",
    pattern: /[\\/=]\.\.[\\/]\.\.[\\/]|\.\.[\\/](?:etc|proc|windows)\b/,
  },
  {
    id: "930-system-file",
    reads: "text",
    pattern:
      /\/?etc\/(?:passwd|shadow|group|gshadow|hosts|sub[ug]id|sudoers|fstab|issue|motd|crontab|mysql|apache2?|nginx|httpd|ssh|ssl|ld\.so|resolv\.conf|environment|security|pam\.d)\b|\/?proc\/(?:self|version|cmdline|net|\d{1,7}\/(?:environ|cmdline|fd|maps))|\/?var\/(?:log|mail|spool|lib\/mysql|run\/secrets)\/|\/root\/\.|\bboot\.ini\b|\bwin\.ini\b|system32[\\/]|\/windows\/(?:repair|win\.ini)|\bweb-inf[\\/]|\bmeta-inf[\\/]/,
    places: lineAndReferer,
  },
  {
    id: "930-secret-file",
    reads: "text",
    pattern: new RegExp(
      `(?:^|[\\\\/=\\s\\u0001])\\.(?:(?:${secretDirectories})(?:$|[^\\w]|\\.\\w)|(?:${secretFiles})(?:$|[^\\w.]))`,
    ),
    places: lineAndReferer,
  },
  // A dotted folder or file is never a route: `.well-known` alone is public by its own RFC (8615).
  { id: "930-dotted-path", reads: "text", pattern: /\/\.(?!well-known(?:\/|$))[a-z_]/, places: ["path"] },
  {
    id: "930-backup-file",
    reads: "text",
    pattern:
      /\.(?:sql|bak|bkp|backup|dump|swp|swo|orig|mdb|sqlite3?|pem|pfx|p12|jks|keystore)(?:\.(?:zip|gz|tgz|bz2|xz|7z|rar|tar|lz4|zst|gpg)){0,2}~?$|(?:^|\/)(?:wp-config|web\.config|id_(?:rsa|dsa|ecdsa|ed25519)|docker-compose\.ya?ml|dockerfile|composer\.(?:json|lock)|package-lock\.json|phpinfo\.php|(?:backup|dump|database|db|site|www)\.(?:zip|gz|tgz|tar\.gz|7z|rar|tar))\b/,
    places: ["path"],
  },
  {
    id: "930-local-scheme",
    reads: "compact",
    pattern: /(?:^|[=\u0001'"(])(?:file|php|phar|zip|expect|gopher|dict|jar|netdoc|ldap|glob|ogg|rar):\/\//,
    places: ["path", "query"],
  },
];
