/* Writing XML by libxml2, which escapes all text. */
#ifndef HP_XML_H
#define HP_XML_H

#include "../runner/text.h"

#include <libxml/xmlwriter.h>
#include <stdio.h>

/* Text as libxml2 names it. */
static inline const xmlChar *x(const char *text)
{
    return (const xmlChar *)text;
}

/* A writer to `out`, which stays open. */
xmlTextWriterPtr hp_xml_open(FILE *out);

/* Ends every element that is open, flushes and frees. Returns 0, or -1 with a message if anything
 * could not be written. */
int hp_xml_close(xmlTextWriterPtr writer, hp_error *error);

#endif
