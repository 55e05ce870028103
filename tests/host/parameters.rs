//! Thread: any. The plugin's parameters as a host lists them.

use clack_extensions::params::{ParamInfoBuffer, ParamInfoFlags, PluginParams};
use clack_host::prelude::PluginMainThreadHandle;
use clack_host::utils::ClapId;

/// One parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Param {
    /// CLAP's number for it; stays the same for ever.
    pub id: ClapId,
    /// The name a user reads.
    pub name: String,
    /// The group it is in; empty for none.
    pub module: String,
    /// Smallest CLAP value. CLAP values are not the user's values: ask for the text.
    pub min: f64,
    /// Largest CLAP value.
    pub max: f64,
    /// CLAP value of a new plugin.
    pub default: f64,
    /// Only whole CLAP values: switches, choices and counts.
    pub stepped: bool,
    /// Not shown to the user.
    pub hidden: bool,
    /// Can be automated.
    pub automatable: bool,
}

impl Param {
    /// Lists them all, in the plugin's order. Thread: main.
    pub fn list(extension: &PluginParams, plugin: &PluginMainThreadHandle) -> Vec<Self> {
        let param = |index| {
            let mut buffer = ParamInfoBuffer::new();
            let info = extension.get_info(plugin, index, &mut buffer)?;
            Some(Self {
                id: info.id,
                name: String::from_utf8_lossy(info.name).into_owned(),
                module: String::from_utf8_lossy(info.module).into_owned(),
                min: info.min_value,
                max: info.max_value,
                default: info.default_value,
                stepped: info.flags.contains(ParamInfoFlags::IS_STEPPED),
                hidden: info.flags.contains(ParamInfoFlags::IS_HIDDEN),
                automatable: info.flags.contains(ParamInfoFlags::IS_AUTOMATABLE),
            })
        };
        (0..extension.count(plugin)).filter_map(param).collect()
    }
}
