//! Tests of rendition.
