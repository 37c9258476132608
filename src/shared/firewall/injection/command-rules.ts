/** 932: commands for a shell, of Unix or Windows. */
import { lineAndReferer, requestLine, type Rule } from "./rule.ts";

/** Words that start a command and little else. Short and English ones stand in `shortCommands`. */
const commands =
  "whoami|ifconfig|ipconfig|uname|netstat|nslookup|traceroute|tracepath|ping6?|wget|curl|lwp-(?:download|request|mirror|dump)|lynx|fetch|nc|ncat|netcat|socat|telnet|tftp|scp|sftp|rsync|ssh(?:-keygen|-keyscan)?|bash|dash|zsh|ksh|csh|tcsh|fish|busybox|perl|python[23]?|ruby|php[578]?|node|lua|gcc|g\\+\\+|cc|make|gdb|strace|ltrace|tcpdump|tshark|nmap|chmod|chown|chgrp|chattr|useradd|userdel|usermod|adduser|passwd|sudo|su|visudo|crontab|systemctl|service|kill(?:all)?|pkill|printenv|env|export|mkfifo|mknod|mount|umount|base(?:32|64)|xxd|hexdump|strings|awk|gawk|mawk|sed|grep|egrep|fgrep|tar|gzip|gunzip|zcat|bzip2|xz|unzip|openssl|git|docker|kubectl|apt(?:-get)?|yum|dnf|rpm|dpkg|apk|pip[23]?|npm|gem|mysql(?:dump)?|psql|sqlite3|tee|xargs|nohup|rmdir|mkdir|touch|tail|less|nano|vi(?:m|ew)?|getent|lsof|dmesg|hostname|uptime|ifdown|ifup|iptables|route|arp|dig|ldd|readlink|realpath|sysctl|rmt-tar|rmt-dump|ansible(?:-[a-z]{3,12})?|chef-[a-z]{3,12}|cscli";
const shortCommands =
  "cat|tac|ls|ll|dir|id|who|w|ps|cp|mv|rm|ln|dd|df|du|ip|ss|nl|od|rev|head|more|sort|uniq|find|echo|printf|type|set|time|date|exec|sh|at|bc|man|top|wc|cut|pwd|last|mail|host|stat|file";
const windowsCommands =
  "cmd|command|powershell|pwsh|iwr|iex|irm|wmic|reg(?:edit|svr32)?|rundll32|certutil|bitsadmin|bcdboot|bcdedit|net(?:sh|stat)?1?|sc|schtasks|tasklist|taskkill|systeminfo|cscript|wscript|mshta|msiexec|icacls|cacls|attrib|takeown|vssadmin|diskpart|assoc|ftype|doskey|ipconfig|tracert|nbtstat|xcopy|robocopy|rmdir|del|erase|copy|ren|format|fsutil|sfc|gpresult|gpupdate|cipher|driverquery|expand|fc|forfiles|logoff|shutdown|mountvol|openfiles|pushd|popd|quser|runas|setx|subst|typeperf|ver|where|wevtutil";

/** Commands that are words of a text, too: `Shoes & more`, `Home | Service`, `time; date`. */
const words =
  "fetch|service|kill|export|mount|strings|make|less|tail|touch|route|node|perl|python|ruby|git|docker|dash|fish|env|gem|cc|cat|more|sort|find|head|top|mail|host|time|date|set|type|who|last|file|cut|at|man|stat|exec|echo|id|ip|nano|view";
/** What only a shell is told behind them: an option, a path, a pattern, a variable, another command. */
const argument =
  "\\s{1,4}(?:-{1,2}[a-z0-9]|[~.]{0,2}/|\\*|\\$[a-z{(]|[\\w-]{1,40}\\.(?:txt|log|conf|cfg|ini|env|sh|py|php|json|ya?ml|html?|bak)\\b|(?:sudo|whoami|ls|id|cat|sh|bash|nc|curl|wget)\\b)";
/** Behind a separator and a blank, as in a text, such a word is a command only with such an argument. */
const notInText = `(?!\\s{1,8}(?:${words})\\b(?!${argument}))`;
/** In a header without the blank, too: lists there have none (`linux;x64;node`, `cron|node`). */
const notInHeader = notInText.replace("{1,8}", "{0,8}");

/** Between two commands. A single `&` counts with a blank or another: it also stands between a query's fields. */
const separator = `(?:[;|\`\\r\\n{]|&&|&(?=\\s)|\\$\\(|<\\(|>\\()${notInText}`;
/** What may stand before a command's name: a path, variables, wrappers. */
const before =
  "\\s{0,8}(?:[({!@]\\s?)?(?:(?:\\$\\w{1,16}|sudo|time|nohup|exec|command|builtin|env|nice|timeout \\d{1,5})\\s{1,4})?(?:\\.{0,2}/[\\w./-]{0,80}/)?";
/** What follows a command's name and no word of a text. */
const after = "(?=$|[\\s;|&<>`)}/*?,'\"\\u0001])";

export const commandRules: readonly Rule[] = [
  {
    id: "932-unix-command",
    reads: "shell",
    pattern: new RegExp(`${separator}${before}(?:${commands})${after}`),
    places: requestLine,
  },
  {
    id: "932-unix-short-command",
    reads: "shell",
    pattern: new RegExp(
      `${separator}${before}(?:${shortCommands})(?:$|\\s{1,4}(?:[-/.~*$|;&]|[\\w-]{1,40}\\.[a-z]{1,5}\\b)|\\s?[;|&\`><)}\\u0001])`,
    ),
    places: requestLine,
  },
  // Browsers and crawlers write `; ` in a user agent, and a referer is somebody else's query: there, only what also has an argument.
  {
    id: "932-command-in-header",
    reads: "shell",
    pattern: new RegExp(
      `(?:^;|[|\`]|&&|\\$\\(|[^ ];(?! ))${notInHeader}${before}(?:${commands}|cat|ls|id|rm|sh|echo|ps)(?:\\s{1,4}[-/.~*$"'<]|\\s?[;|\`<)]|$)|^(?:${before})?(?:cat|ca\\?|tac|head|less|more|bash|sh|wget|nc|ncat)\\s{1,4}(?:-\\w{1,8}\\s|/)`,
    ),
    places: ["user-agent", "referer", "cookie", "header"],
  },
  {
    id: "932-direct-command",
    reads: "shell",
    pattern: new RegExp(
      `(?:^|[=\\u0001])\\s{0,4}(?!(?:${words})\\s{1,4}[|;>])(?:${commands}|cat|tac|ls|ll|ps|rm|cp|mv|dd|ip|find|sh)\\s{1,4}(?:-{1,2}[a-z]|[~./]*/[a-z*?]|https?:|\\d{1,3}\\.\\d{1,3}\\.|\\$|\\*|[|;>]|a$|addr\\b|link$)`,
    ),
    places: requestLine,
  },
  {
    id: "932-tool",
    reads: "shell",
    pattern:
      /(?:^|[=\s;|&`/(\u0001])(?:ansible-(?:config|console|doc|galaxy|inventory|playbook|pull|vault|connection)|chef-(?:shell|vault|solo|apply|run)|visudo|cscli|gtester|xdotool|msfconsole|msfvenom)(?=$|[\s;|&)\u0001])/,
    places: ["path", "query", "user-agent", "referer", "header"],
  },
  {
    id: "932-binary",
    reads: "shell",
    pattern: /(?:^|[=\s;|&(`,\u0001])\/?(?:usr\/|local\/|opt\/){0,3}s?bin\/[a-z[?*]/,
  },
  // `/et*/passwd`, `/bin/ca?`: names that only a shell completes.
  {
    id: "932-glob",
    reads: "shell",
    pattern:
      /\/(?:e[?*t]{0,2}[?*]c?|[?*]{1,2}tc|et[?*]|b[?*]{1,2}n?|[?*]in|bi[?*]|usr?[?*])\/|\/bin\/\w{0,12}[?*]/,
    places: lineAndReferer,
  },
  {
    id: "932-expansion",
    reads: "text",
    pattern:
      /\$\([^)\n]{0,200}\)?|\$\{[^}\n]{1,200}\}|\$\[[^\]\n]{1,64}\]|[<>]\(\s?[\w(/]|\$'[^'\n]{1,80}'|\$\(\(|\w\$[$@*]\w/,
    places: ["path", "query", "referer", "cookie", "header"],
  },
  {
    id: "932-backtick",
    reads: "text",
    pattern: new RegExp(`\`\\s{0,4}(?:/|\\.|(?:${commands}|${shortCommands})[\\s<\`])[^\`]{0,200}\``),
  },
  {
    id: "932-brace",
    reads: "shell",
    pattern: new RegExp(`\\{,?(?:${commands}|cat|ls|id|sh|echo)(?:,[^}\\n]{0,80})?\\}`),
    places: requestLine,
  },
  { id: "932-here-string", reads: "text", pattern: /<<<\s?["'$\w]/ },
  {
    id: "932-device",
    reads: "text",
    pattern: /\/dev\/(?:tcp|udp)\/|>\s?&?\s?\/dev\/(?:null|stdout)|\b(?:bash|sh)\s-[ic]\b|2>&1|\d?>&\d/,
  },
  { id: "932-variable-command", reads: "text", pattern: /(?:&&|\|\||[|;`])\s{0,4}\$\w{1,16}\s{1,4}-\w/ },
  { id: "932-shellshock", reads: "text", pattern: /(?:^|[=\s\u0001])\(\s?\)\s?\{/ },
  { id: "932-function", reads: "text", pattern: /\w\(\)\s?\{[^}\n]{0,80}[|&;]/, places: requestLine },
  {
    id: "932-alias",
    reads: "text",
    pattern: /(?:^|[=;|&\s\u0001])alias\s{1,4}[\w.-]{1,20}=/,
    places: requestLine,
  },
  {
    id: "932-php",
    reads: "text",
    pattern:
      /<\?(?:php|=|\s)|\b(?:system|passthru|shell_exec|proc_open|popen|pcntl_exec|assert|call_user_func|create_function|file_get_contents|file_put_contents|base64_decode|gzinflate|str_rot13|phpinfo|preg_replace|move_uploaded_file|runtime\.getruntime|processbuilder|os\.(?:system|popen)|subprocess\.\w{1,12}|child_process)\s?\(/,
  },
  // Windows.
  {
    id: "932-windows-for",
    reads: "text",
    pattern: /\bfor\b[^%\n]{0,160}%{1,2}\S{0,40}\s{1,8}in\s{0,8}\([^)\n]{0,200}\)\s{0,8}do\b/,
    places: requestLine,
  },
  {
    id: "932-windows-if",
    reads: "text",
    pattern:
      /(?:^|[=\s&|(\u0001])if\s{1,12}(?:\/i\s{1,4})?(?:not\s{1,12})?(?:exist\s{1,12}\S|defined\s{1,12}\S|errorlevel\s{1,4}\d|cmdextversion\s|"[^"\n]{0,80}"\s{0,4}==|[(']?[%!]\S{1,60}\s{0,4}(?:==|\b(?:equ|neq|lss|leq|gtr|geq)\b)|[\w(%")]{1,40}\s{0,2}==\s{0,2}[\w(%"])/,
    places: requestLine,
  },
  {
    id: "932-windows-command",
    reads: "text",
    pattern: new RegExp(
      `(?:^|[;|&\`=\\r\\n({\\u0001])\\s{0,4}(?:[a-z]:\\\\[\\w\\\\ ]{0,80}\\\\)?(?:${windowsCommands})(?:\\.exe)?\\s{1,4}(?:/[a-z?]\\b|-[a-z]{1,16}\\b|<|>|\\(|https?:|[a-z]:\\\\|hk(?:lm|cu|cr|u)|hkey_)`,
    ),
    places: requestLine,
  },
  {
    id: "932-powershell",
    reads: "text",
    pattern:
      /\b(?:invoke-(?:expression|webrequest|restmethod|command|item|wmimethod|shellcode|mimikatz)|new-object\s{1,4}(?:net\.|system\.|io\.)|start-process|get-wmiobject|add-type\s{1,4}-|out-file\s|downloadstring\s?\(|downloadfile\s?\(|powershell(?:\.exe)?\s{1,4}-|\[(?:system\.)?(?:convert|reflection\.assembly|net\.webclient)\]::)/,
  },
  {
    id: "932-mail-command",
    reads: "text",
    pattern:
      /[\r\n]\s{0,4}(?:\w{1,8} )?(?:(?:ehlo|helo|mail from|rcpt to|vrfy|expn|auth|starttls|apop|authenticate|login|examine|lsub|subscribe)(?:$|[\s:\u0001])|(?:data|quit|rset|noop|stat|list|logout|expunge|capa(?:bility)?|idle|uidl)\s{0,4}(?:$|[\r\n\u0001])|(?:retr|dele|top|list|uidl|fetch|user|pass|select|append)\s{1,4}[\d"*][^\r\n]{0,20}(?:$|[\r\n\u0001]))/,
    places: requestLine,
  },
  {
    id: "932-header-split",
    reads: "text",
    pattern:
      /[\r\n]\s{0,2}(?:set-cookie|location|content-(?:type|length)|host|transfer-encoding|x-[a-z-]{2,30})\s?:/,
  },
  {
    id: "932-upload-name",
    reads: "text",
    pattern:
      /\.(?:ph(?:p[3-8]?|tml|ar|t|ps)|jspx?|aspx?|asmx|ashx|cfm|cgi|pl|py|sh|exe|dll|bat|cmd|ps1|vbs|hta|scr|htaccess|htpasswd|user\.ini)(?:$|[.\s;:])|(?:^|[/\\])(?:wp-config|web\.config|\.ht|\.env|\.user\.ini|id_rsa|config\.(?:yml|php|inc))/,
    places: ["file-name"],
  },
];
