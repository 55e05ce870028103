//! Thread: background. Dragging by OLE, as Windows does it. Nobody has run this yet: it was only type-checked.

use crate::drag_out::DragState;
use std::os::windows::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use windows::Win32::System::Com::IDataObject;
use windows::Win32::System::Ole::{DROPEFFECT_COPY, DROPEFFECT_NONE, OleInitialize, OleUninitialize};
use windows::Win32::UI::Shell::Common::ITEMIDLIST;
use windows::Win32::UI::Shell::{
    BHID_DataObject, ILCreateFromPathW, ILFree, SHCreateShellItemArrayFromIDLists, SHDoDragDrop,
};
use windows::core::{PCWSTR, Result};

/// Drags until the button is up. Runs a message loop until then, so it wants a thread of its own: on the window's thread, that
/// loop would call the window while it is being drawn.
pub(crate) fn drag(files: &[PathBuf]) -> DragState {
    // SAFETY: it is ended below, on this very thread.
    let ready = unsafe { OleInitialize(None) };
    let dragged = ready.and_then(|()| {
        let dropped = drag_files(files);
        // SAFETY: it was initialised above, and nothing of the drag is left.
        unsafe { OleUninitialize() };
        dropped
    });
    match dragged {
        Ok(true) => DragState::Dropped,
        Ok(false) => DragState::Cancelled,
        Err(error) => DragState::Failed(format!("The drag broke off: {error}. Try again, or use Copy path.")),
    }
}

fn drag_files(files: &[PathBuf]) -> Result<bool> {
    let items: Vec<Item> = files.iter().filter_map(|file| Item::of(file)).collect();
    let list: Vec<*const ITEMIDLIST> = items.iter().map(|item| item.0.cast_const()).collect();
    // SAFETY: the list lives until the array has copied it.
    let array = unsafe { SHCreateShellItemArrayFromIDLists(&list) }?;
    // SAFETY: the handler's name and the interface belong together.
    let data: IDataObject = unsafe { array.BindToHandler(None, &BHID_DataObject) }?;
    // SAFETY: OLE was initialised on this thread. The shell brings a drop source and a picture of its own.
    let effect = unsafe { SHDoDragDrop(None, &data, None, DROPEFFECT_COPY) }?;
    Ok(effect != DROPEFFECT_NONE)
}

/// A file as the shell knows it.
struct Item(*mut ITEMIDLIST);

impl Item {
    fn of(file: &Path) -> Option<Self> {
        let wide: Vec<u16> = file.as_os_str().encode_wide().chain([0]).collect();
        // SAFETY: the text ends with a zero and outlives the call.
        let item = unsafe { ILCreateFromPathW(PCWSTR(wide.as_ptr())) };
        (!item.is_null()).then_some(Self(item))
    }
}

impl Drop for Item {
    fn drop(&mut self) {
        // SAFETY: it was made by the shell and is freed once.
        unsafe { ILFree(Some(self.0.cast_const())) };
    }
}
