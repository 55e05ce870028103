//! Thread: any. The standalone program: the same plugin with a sound card or JACK as its host.

fn main() {
    nice_plug::prelude::nice_export_standalone::<cantus_plugin::Cantus>();
}
