<?php
/*
Plugin Name: Half
*/
