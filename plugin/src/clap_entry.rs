//! Thread: gui. The CLAP entry point.
//!
//! The framework's own entry does the same but keeps the host to itself, and we need the host to mark the project dirty when a
//! take or a rendition arrives. So this factory leaves the host where the new instance finds it: in a slot of the calling thread.
//! It also puts a guard in front of the framework's way of reading ports.

mod ports;

use crate::Cantus;
use clap_sys::host::clap_host;
use nice_plug::wrapper::clap::{
    CLAP_PLUGIN_FACTORY_ID, CLAP_VERSION, PluginDescriptor, Wrapper, clap_plugin, clap_plugin_descriptor,
    clap_plugin_entry, clap_plugin_factory,
};
use std::cell::Cell;
use std::ffi::{CStr, c_char, c_void};
use std::panic::catch_unwind;
use std::ptr;
use std::sync::{Arc, OnceLock};

thread_local! {
    static HOST: Cell<*const clap_host> = const { Cell::new(ptr::null()) };
}

static DESCRIPTOR: OnceLock<PluginDescriptor> = OnceLock::new();

static FACTORY: clap_plugin_factory = clap_plugin_factory {
    get_plugin_count: Some(plugin_count),
    get_plugin_descriptor: Some(plugin_descriptor),
    create_plugin: Some(create_plugin),
};

/// The symbol that CLAP hosts look for.
#[unsafe(no_mangle)]
#[used]
pub static clap_entry: clap_plugin_entry = clap_plugin_entry {
    clap_version: CLAP_VERSION,
    init: Some(init),
    deinit: Some(deinit),
    get_factory: Some(factory),
};

/// The host that creates an instance on this thread right now; null in other formats.
pub(crate) fn creating_host() -> *const clap_host {
    HOST.get()
}

fn descriptor() -> &'static PluginDescriptor {
    DESCRIPTOR.get_or_init(PluginDescriptor::for_plugin::<Cantus>)
}

unsafe extern "C" fn init(_path: *const c_char) -> bool {
    nice_plug::wrapper::setup_logger::<Cantus>();
    true
}

unsafe extern "C" fn deinit() {}

unsafe extern "C" fn factory(id: *const c_char) -> *const c_void {
    // SAFETY: the host passes a C string that lives for the call.
    if !id.is_null() && unsafe { CStr::from_ptr(id) } == CLAP_PLUGIN_FACTORY_ID {
        ptr::from_ref(&FACTORY).cast()
    } else {
        ptr::null()
    }
}

unsafe extern "C" fn plugin_count(_factory: *const clap_plugin_factory) -> u32 {
    1
}

unsafe extern "C" fn plugin_descriptor(
    _factory: *const clap_plugin_factory,
    index: u32,
) -> *const clap_plugin_descriptor {
    if index == 0 { descriptor().clap_plugin_descriptor() } else { ptr::null() }
}

unsafe extern "C" fn create_plugin(
    _factory: *const clap_plugin_factory,
    host: *const clap_host,
    id: *const c_char,
) -> *const clap_plugin {
    // SAFETY: the host passes a C string that lives for the call.
    if host.is_null() || id.is_null() || unsafe { CStr::from_ptr(id) } != descriptor().clap_id() {
        return ptr::null();
    }
    HOST.set(host);
    // A panic that left this call would end the host; without an instance it tells its user that there is none.
    let made = catch_unwind(|| {
        // SAFETY: `host` is not null and outlives the plugin, which CLAP promises. The reference that is leaked here is taken
        // back by the wrapper's own `destroy`.
        unsafe { ports::guard((*Arc::into_raw(Wrapper::<Cantus>::new(host))).clap_plugin.as_ptr(), host) }
    });
    HOST.set(ptr::null());
    made.unwrap_or(ptr::null())
}
