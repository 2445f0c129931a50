#!/usr/bin/perl
# Compares versions as dpkg does: reads lines `A<TAB>B`, writes `<`, `=`, `>`, or `!` where Dpkg::Version refuses one.
# Debian package: libdpkg-perl.
use strict;
use warnings;
use Dpkg::Version;

while (my $line = <STDIN>) {
    chomp $line;
    my ($left, $right) = map { Dpkg::Version->new($_, check => 1) } split /\t/, $line, 2;
    # A comparison of its own: as a boolean such an object is false for version 0.
    if (!defined $left || !defined $right) {
        print "!\n";
        next;
    }
    my $order = $left <=> $right;
    print $order < 0 ? "<\n" : $order > 0 ? ">\n" : "=\n";
}
