-- Compares versions as rpm does: reads lines `A<TAB>B`, writes `<`, `=` or `>`; run by rpm's own Lua.
-- Debian package: rpm.
for line in io.lines() do
    local left, right = line:match("^(.-)\t(.*)$")
    local order = rpm.vercmp(left, right)
    io.write(order < 0 and "<" or order > 0 and ">" or "=", "\n")
end
