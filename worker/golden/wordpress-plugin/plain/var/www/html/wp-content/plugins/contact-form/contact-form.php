<?php
/*
 * Plugin Name: Contact Form
 * Plugin URI: https://plugin.example/
 * Description: Just another form.
 * Author: Somebody
 * License: GPLv2 or later
 * Version: 5.9.3
 * Requires at least: 6.3
 */

define( 'FORM_VERSION', '5.9.3' );
