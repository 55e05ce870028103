//! Tests of playback.
