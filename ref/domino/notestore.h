/*
 * Notes as records. The key is the note's identifier, 4 bytes, the highest first, so that the
 * records' order is the identifiers'. The value, little-endian:
 *
 *     at  size
 *      0  1   format, 1
 *      1  1   1: a stub, which says that the note has been deleted; it has no items
 *      2  2   class
 *      4  4   sequence number
 *      8  8   modified, hundredths of a second since 1970
 *     16  8   created
 *     24  8   when the sequence number was given
 *     32  8   chance: OID.File
 *     40  2   items
 *     42      per item: u16 flags (4: summary), u16 bytes of name, u16 bytes of text, name, text
 *
 * Identifier 0 is the database's own record: u32 format, 1; u32 the next identifier. It is made
 * with the first note.
 */
#ifndef REF_DOM_NOTESTORE_H
#define REF_DOM_NOTESTORE_H

#include "internal.h"

#define REF_DOM_ITEM_NAME_MAX 255u
#define REF_DOM_ITEM_SUMMARY 0x0004u
#define REF_DOM_SUMMARY_MAX 32768u /* bytes of names and texts */

typedef struct ref_dom_item {
    struct ref_dom_item *next;
    bool summary;
    char name[REF_DOM_ITEM_NAME_MAX + 1];
    WORD length;
    char text[];
} ref_dom_item;

/* A note in memory. */
typedef struct ref_dom_content {
    NOTEID id; /* 0: not in the database yet */
    WORD note_class;
    bool stub;
    DWORD sequence;
    uint64_t modified, created, sequence_time; /* hundredths of a second */
    DBID chance;
    ref_dom_item *items;
} ref_dom_content;

/* The value of a record. ERR_SUMMARY_TOO_BIG, ERR_TOOHUGE, ERR_MEMORY. */
STATUS ref_dom_content_pack(const ref_dom_content *content, ref_buffer *out);
/* What it says; with `items` false without its items. ERR_NSF_CORRUPT, ERR_MEMORY; *out is empty
 * then. */
STATUS ref_dom_content_unpack(NOTEID id, const ref_buffer *value, bool items, ref_dom_content *out);
void ref_dom_content_free(ref_dom_content *content);

/* Reads the record; `lock`: nobody changes it before txn ends. ERR_INVALID_NOTE. */
STATUS ref_dom_note_read(
    ref_dom_file *file, ref_txn *txn, NOTEID id, bool lock, bool items, ref_dom_content *out);
/* Takes the next identifier, in a transaction that will write the note. */
STATUS ref_dom_note_new_id(ref_dom_file *file, ref_txn *txn, NOTEID *out);
STATUS ref_dom_note_write(ref_dom_file *file, ref_txn *txn, const ref_dom_content *content);
STATUS ref_dom_note_remove(ref_dom_file *file, ref_txn *txn, NOTEID id);

/* The key of a note, and back. */
void ref_dom_note_key(NOTEID id, uint8_t key[4]);
NOTEID ref_dom_note_of_key(const uint8_t key[4]);

/* A transaction that writes; `no_sync`: its commit does not wait for the disk. */
STATUS ref_dom_write_begin(ref_dom_file *file, bool no_sync, ref_txn **out);
/* Commits when status is NOERROR, else aborts; the first failure. */
STATUS ref_dom_write_end(ref_dom_file *file, bool no_sync, ref_txn *txn, STATUS status);

#endif
