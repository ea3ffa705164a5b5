/* Limits of names, each with the NUL at the end. [MAXPATH, MAXUSERNAME] */
#ifndef REF_DOMINO_NAMES_H
#define REF_DOMINO_NAMES_H

#define MAXPATH 256
#define MAXUSERNAME 256
#define MAXPORTNAME 32

#endif
