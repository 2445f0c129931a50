<?php
// Compares versions as Composer does: reads lines `A<TAB>B`, writes `<`, `=`, `>`, or `!` where Composer refuses one or
// says that it has no order. Debian package: composer.
require 'Composer/Semver/autoload.php';

use Composer\Semver\Constraint\Constraint;
use Composer\Semver\VersionParser;

$parser = new VersionParser();
while (($line = fgets(STDIN)) !== false) {
    try {
        [$left, $right] = array_map([$parser, 'normalize'], explode("\t", rtrim($line, "\n"), 2));
    } catch (UnexpectedValueException $error) {
        echo "!\n";
        continue;
    }
    $installed = new Constraint('==', $left);
    $relation = '!';
    foreach (['<', '==', '>'] as $operator) {
        $branch = strpos($left, 'dev-') === 0 || strpos($right, 'dev-') === 0;
        if (!$branch && (new Constraint($operator, $right))->matches($installed)) {
            $relation = $operator[0];
        }
    }
    echo $relation, "\n";
}
