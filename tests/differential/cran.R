# Compares versions as R does: reads lines `A<TAB>B`, writes `<`, `=`, `>`, or `!` where package_version refuses one.
# Debian package: r-base-core.
lines <- readLines(file("stdin"))
pairs <- strsplit(lines, "\t", fixed = TRUE)
valid <- function(text) length(unclass(package_version(text, strict = FALSE))[[1]]) > 0
# compareVersion knows only the numbers; package_version says what is a version.
relation <- function(pair) {
  if (length(pair) != 2 || !valid(pair[1]) || !valid(pair[2])) return("!")
  c("<", "=", ">")[utils::compareVersion(pair[1], pair[2]) + 2]
}
writeLines(vapply(pairs, relation, ""))
