# Reads cloud-init's network configuration, version 2 (the block style that people and generators write, and one-line lists),
# and writes one line for each thing to do: interface, mac, mtu, dhcp4, address, route.
function bare(s) {
  sub(/[ \t]+#.*$/, "", s); gsub(/\r/, "", s)
  gsub(/^[[{ \t"']+/, "", s); gsub(/[]} \t"',]+$/, "", s)
  return s
}
function flush_route() { if (to != "" && via != "") print "route", to, via; to = ""; via = "" }
function route_part(k, v) { if (k == "to") { if (to != "") flush_route(); to = v } else if (k == "via") via = v }
BEGIN { ethernets = -1; name = -1; key = -1 }
/^[ \t]*(#|$)/ { next }
{
  match($0, /^ */); depth = RLENGTH; text = substr($0, depth + 1); item = 0
  if (text ~ /^- /) { item = 1; sub(/^- +/, "", text) }
  colon = 0; k = ""; v = ""
  if (match(text, /^[A-Za-z0-9_.-]+:([ \t]|$)/)) {
    colon = 1; k = substr(text, 1, index(text, ":") - 1); v = bare(substr(text, index(text, ":") + 1))
  }
  if (ethernets < 0) { if (k == "ethernets") ethernets = depth; next }
  if (depth <= ethernets && !item) { flush_route(); ethernets = -2; next }
  if (ethernets == -2) next
  if (name < 0) name = depth
  if (depth == name && !item) { flush_route(); print "interface", k; key = -1; section = ""; next }
  if (key < 0) key = depth
  if (depth == key && colon && !item) {
    flush_route(); section = k
    if (k == "dhcp4" && v == "true") print "dhcp4"
    else if (k == "mtu") print "mtu", v
    else if (k == "gateway4" || k == "gateway6") { print "route default", v }
    else if (k == "addresses" && v != "") { n = split(v, all, ","); for (i = 1; i <= n; i++) print "address", bare(all[i]) }
    else if (k == "match" && v ~ /macaddress/) { sub(/.*macaddress:/, "", v); print "mac", tolower(bare(v)) }
    next
  }
  if (section == "match" && k == "macaddress") print "mac", tolower(v)
  else if (section == "addresses" && item) print "address", bare(text)
  else if (section == "routes") {
    if (text ~ /^\{/) {
      n = split(bare(text), all, ",")
      for (i = 1; i <= n; i++) { p = index(all[i], ":"); route_part(bare(substr(all[i], 1, p - 1)), bare(substr(all[i], p + 1))) }
    } else { if (item) flush_route(); route_part(k, v) }
  }
}
END { flush_route() }
