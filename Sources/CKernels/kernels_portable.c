#include "ckernels.h"

#define CK_TABLE ck_table_portable
#include "kernels_body.h"
