"""python -m bench"""

import sys

from bench.timing import one_processor

if __name__ == "__main__":
    one_processor()  # before NumPy, which reads how many threads its BLAS may have
    from bench.command import main

    sys.exit(main())
