/* Items of a note in memory. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "note.h"

/* Where the item hangs, or where a new one would. */
static ref_dom_item **find(ref_dom_note *note, const char *name)
{
    ref_dom_item **link = &note->content.items;

    while (*link != NULL && strcasecmp((*link)->name, name) != 0) {
        link = &(*link)->next;
    }
    return link;
}

static STATUS set_text(
    ref_dom_note *note, const char *name, const char *text, WORD length, bool summary)
{
    ref_dom_item *item = calloc(1, sizeof *item + length);

    if (item == NULL) {
        return ERR_MEMORY;
    }
    memcpy(item->name, name, strlen(name));
    memcpy(item->text, text, length);
    item->length = length;
    item->summary = summary;
    ref_dom_item **link = find(note, name);
    if (*link != NULL) {
        ref_dom_item *old = *link;

        item->next = old->next;
        free(old);
    }
    *link = item;
    return NOERROR;
}

STATUS LNPUBLIC NSFItemSetTextSummary(NOTEHANDLE hNote, const char far *ItemName,
    const char far *ItemText, WORD TextLength, BOOL Summary)
{
    STATUS status;
    ref_dom_note *note = ref_dom_handle_use(hNote, REF_DOM_NOTE, &status);
    size_t length = TextLength;

    if (status != NOERROR) {
        return status;
    }
    if (ItemText != NULL && TextLength == MAXWORD) {
        length = strlen(ItemText);
    }
    if (ItemName == NULL || ItemName[0] == '\0' || strlen(ItemName) > REF_DOM_ITEM_NAME_MAX ||
        (ItemText == NULL && TextLength != 0) || length >= MAXWORD) {
        status = ERR_BAD_PARAM;
    } else {
        status = set_text(
            note, ItemName, ItemText != NULL ? ItemText : "", (WORD)length, Summary != FALSE);
    }
    ref_dom_handle_leave(note);
    return status;
}

STATUS LNPUBLIC NSFItemSetText(
    NOTEHANDLE hNote, const char far *ItemName, const char far *ItemText, WORD TextLength)
{
    return NSFItemSetTextSummary(hNote, ItemName, ItemText, TextLength, TRUE);
}

WORD LNPUBLIC NSFItemGetText(
    NOTEHANDLE note_handle, const char far *item_name, char far *item_text, WORD text_len)
{
    STATUS status;
    ref_dom_note *note = ref_dom_handle_use(note_handle, REF_DOM_NOTE, &status);
    WORD length = 0;

    if (item_text != NULL && text_len > 0) {
        const ref_dom_item *item =
            note != NULL && item_name != NULL ? *find(note, item_name) : NULL;

        if (item != NULL) {
            length = item->length < text_len ? item->length : (WORD)(text_len - 1);
            memcpy(item_text, item->text, length);
        }
        item_text[length] = '\0';
    }
    ref_dom_handle_leave(note);
    return length;
}
