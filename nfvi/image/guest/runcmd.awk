# The commands of cloud-config's `runcmd`: a list of lines, or of one-line lists of words.
/^runcmd:/ { inside = 1; next }
/^[^ \t#-]/ { inside = 0 }
inside && /^[ \t]*- / {
  line = $0; sub(/^[ \t]*- +/, "", line); sub(/\r$/, "", line)
  if (line ~ /^\[.*\]$/) {
    line = substr(line, 2, length(line) - 2); n = split(line, word, /,[ \t]*/); line = ""
    for (i = 1; i <= n; i++) {
      w = word[i]; gsub(/^[ \t]*["']?|["']?[ \t]*$/, "", w); gsub(/'/, "'\\''", w)
      line = line (i > 1 ? " " : "") "'" w "'"
    }
  } else if (line ~ /^".*"$/ || line ~ /^'.*'$/) line = substr(line, 2, length(line) - 2)
  print line
}
