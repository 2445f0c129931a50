-- Compares versions as Cabal does: reads lines `A<TAB>B`, writes `<`, `=`, `>`, or `!` where Cabal refuses one.
-- Debian package: ghc, which has the Cabal library.
import Distribution.Parsec (simpleParsec)
import Distribution.Version (Version)

main :: IO ()
main = interact (unlines . map (relation . break (== '\t')) . lines)

relation :: (String, String) -> String
relation (left, right) =
  case (simpleParsec left, simpleParsec (drop 1 right)) of
    (Just a, Just b) -> sign (compare a (b :: Version))
    _ -> "!"

sign :: Ordering -> String
sign LT = "<"
sign EQ = "="
sign GT = ">"
