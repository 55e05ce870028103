//! Tests of plugin.
