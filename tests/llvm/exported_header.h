/* fit: made by adcore ….

   Link with -lm.
   The functions need no initialisation; any number of threads may call them at once.
   Arrays are in C order: the last index runs fastest. */

#ifndef FIT_H
#define FIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* both: value_and_grad of loss, test_export.py, line ….  A sum over a loop with written elements.

   x         x_0 numbers, read
   x_0       a length
   n         a number, read
   value     a number: a result
   gradient  x_0 numbers: a result

   Returns 0, or the number of a failure.  Real results are NaN then:
     1  ValueError: the length x_0 is …
     2  ValueError: negative dimensions are not allowed (line …)
     3, 7  MemoryError: cannot allocate an array of that size (line …)
     4  ZeroDivisionError: integer modulo by zero (line …)
     5, 6  IndexError: index … is out of bounds for axis 0 with size … (line …) */
int64_t both(const double *x, int64_t x_0, int64_t n, double *value, double *gradient);

/* What a number of a failure of both means.  Of the last failure in this
   thread it says what was found, too; the next call in this thread may write over that text. */
const char *both_message(int64_t status);

#ifdef __cplusplus
}
#endif

#endif
