//! Streams that a script fills or empties itself.

use super::Store;

#[test]
fn a_stream_that_leads_nowhere_or_has_ended_says_so() {
    let store = Store::new();
    store.ok(r#"
        let disk = images.create_xml(volume("a.img", 65536, "raw"));
        let stream = conn.new_stream();
        assert_eq(stream.to_string(), "Stream(not connected yet)");
        for use_it in [|| stream.send("x"), || stream.recv(1), || stream.finish()] {
            try { use_it.call(); assert(false, "it was used"); }
            catch (err) {
                assert_eq(err.code, "VIR_ERR_NO_SUPPORT");
                assert(err.hint.contains("is not connected"), err.hint);
            }
        }
        let stream = conn.new_stream();
        disk.upload(stream, 0, 0);
        assert_eq(stream.to_string(), "Stream(upload to a.img)");
        assert_eq(thrown(|| stream.wait("x", "1s")), "VIR_ERR_OPERATION_INVALID");
        assert_eq(thrown(|| stream.send(7)), "VIR_ERR_INVALID_ARG");
        stream.send("hello");
        stream.finish();
        assert_eq(thrown(|| stream.send("more")), "VIR_ERR_OPERATION_INVALID");
        assert_eq(thrown(|| stream.finish()), "VIR_ERR_OPERATION_INVALID");
        assert_eq(thrown(|| conn.new_stream(VIR_STREAM_NONBLOCK)), "VIR_ERR_INVALID_ARG");
        assert_eq(disk.download(0, 5).as_string(), "hello");
    "#);
}

#[test]
fn a_stream_goes_with_its_connection() {
    let store = Store::new();
    store.ok(r#"
        let disk = images.create_xml(volume("a.img", 65536, "raw"));
        let other = connect();
        let stream = other.new_stream();
        other.storage_vol_lookup_by_path(disk.path).upload(stream, 0, 0);
        stream.send("hello");
        other.close();
        assert_eq(thrown(|| stream.send("more")), "VIR_ERR_INVALID_CONN");
        disk.upload("again");
        assert_eq(disk.download(0, 5).as_string(), "again");
    "#);
}

#[test]
fn more_than_the_stream_was_opened_for_is_refused() {
    let store = Store::new();
    store.ok(r#"
        let disk = images.create_xml(volume("a.img", 65536, "raw"));
        let stream = conn.new_stream();
        disk.upload(stream, 0, 4);
        // libvirtd itself would hang for everybody.
        assert_eq(thrown(|| stream.send("too much")), "VIR_ERR_INVALID_ARG");
        stream.send("four");
        assert_eq(thrown(|| stream.send("!")), "VIR_ERR_INVALID_ARG");
        stream.finish();
        assert_eq(disk.download(0, 5), "four".to_blob() + blob(1));
    "#);
}

#[test]
fn large_content_goes_through_a_stream_in_both_directions() {
    let store = Store::new();
    store.ok(r#"
        let disk = images.create_xml(xml("volume", #{ name: "a.img", capacity: 8388608 }));
        let stream = conn.new_stream();
        disk.upload(stream, 0, 0);
        for number in 0..8 { stream.send(blob(1048576, number)); }
        stream.finish();
        let stream = conn.new_stream();
        disk.download(stream, "3MiB", "2MiB");
        let parts = blob();
        stream.recv_all(|part| { parts += part; });
        stream.finish();
        assert_eq(parts, blob(1048576, 3) + blob(1048576, 4));
    "#);
}

#[test]
fn holes_go_through_a_sparse_stream() {
    let store = Store::new();
    store.ok(r#"
        let disk = images.create_xml(xml("volume", #{ name: "a.img", capacity: 1048576, allocation: 0 }));
        let stream = conn.new_stream();
        disk.upload(stream, 0, 0, VIR_STORAGE_VOL_UPLOAD_SPARSE_STREAM);
        stream.send_hole("512KiB");
        stream.send("data");
        stream.send_hole(524284);
        stream.finish();
        let stream = conn.new_stream();
        disk.download(stream, 0, 0, VIR_STORAGE_VOL_DOWNLOAD_SPARSE_STREAM);
        let seen = [];
        loop {
            let part = stream.recv(65536, VIR_STREAM_RECV_STOP_AT_HOLE);
            if part == "hole" { seen.push(stream.recv_hole()); continue; }
            if part.is_empty() { break; }
            seen.push(part.len());
        }
        stream.finish();
        let total = 0;
        for length in seen { total += length; }
        assert_eq([seen[0], total], [524288, 1048576]);
    "#);
}
