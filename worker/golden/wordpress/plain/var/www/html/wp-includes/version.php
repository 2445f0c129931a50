<?php
/**
 * @global string $wp_version
 */
$wp_version = '6.4.3';

/**
 * @global int $wp_db_version
 */
$wp_db_version = 56657;
