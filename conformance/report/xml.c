/* Writing XML: see xml.h. */
#include "xml.h"

xmlTextWriterPtr hp_xml_open(FILE *out)
{
    xmlOutputBufferPtr buffer = xmlOutputBufferCreateFile(out, NULL);
    xmlTextWriterPtr writer = buffer != NULL ? xmlNewTextWriter(buffer) : NULL;
    if (writer == NULL) {
        hp_out_of_memory();
    }
    return writer;
}

int hp_xml_close(xmlTextWriterPtr writer, hp_error *error)
{
    int status = xmlTextWriterEndDocument(writer);
    xmlFreeTextWriter(writer);
    return status < 0 ? hp_fail(error, "the report cannot be written") : 0;
}
