<?php
$wp_version = '6.5-RC2-57790-src';
