#include "ckernels.h"

#define CK_TABLE ck_table_portable
#define CK_WIDTH 4
#define CK_ROWS 4
#include "kernels_body.h"
