//! Thread: worker. Lowers the calling thread's priority, so that the host's audio always wins.

/// Asks the system to prefer other threads. A refusal is harmless and ignored: the work only competes a little more.
#[cfg(target_os = "linux")]
pub(super) fn lower_own_priority() {
    const NICER: libc::c_int = 10;
    // SAFETY: both calls take plain numbers; PRIO_PROCESS with a thread id changes this thread alone on Linux.
    unsafe {
        let thread = libc::syscall(libc::SYS_gettid) as libc::id_t;
        libc::setpriority(libc::PRIO_PROCESS, thread, NICER);
    }
}

/// Asks the system to prefer other threads. A refusal is harmless and ignored: the work only competes a little more.
#[cfg(target_os = "macos")]
pub(super) fn lower_own_priority() {
    // SAFETY: the call takes plain numbers and changes this thread alone.
    unsafe {
        libc::pthread_set_qos_class_self_np(libc::qos_class_t::QOS_CLASS_UTILITY, 0);
    }
}

/// Where there is no simple call, threads keep the priority they were born with.
#[cfg(not(any(target_os = "linux", target_os = "macos")))]
pub(super) fn lower_own_priority() {}
