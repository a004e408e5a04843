/* A driver of CUDA over the host's memory, with the functions that adcore calls.  A module is text: a line for each
   kernel, with its name and the address of a function that runs it thread by thread.  */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef int CUresult;
typedef void *handle;
typedef unsigned long long address;

static handle current = 0;
static size_t used = 0;

CUresult cuInit(unsigned flags) { return 0; }
CUresult cuDriverGetVersion(int *version) { *version = 12090; return 0; }
CUresult cuDeviceGet(int *device, int number) { *device = number; return number ? 101 : 0; }
CUresult cuDeviceGetCount(int *count) { *count = 1; return 0; }
CUresult cuDevicePrimaryCtxRetain(handle *context, int device) { *context = (handle)0x1234; return 0; }
CUresult cuCtxGetCurrent(handle *context) { *context = current; return 0; }
CUresult cuCtxSetCurrent(handle context) { current = context; return 0; }
CUresult cuCtxGetDevice(int *device) { *device = 0; return current ? 0 : 201; }
CUresult cuDeviceGetAttribute(int *value, int attribute, int device) {
  switch (attribute) {
    case 75: *value = 9; return 0;      /* COMPUTE_CAPABILITY_MAJOR */
    case 76: *value = 0; return 0;      /* COMPUTE_CAPABILITY_MINOR */
    case 16: *value = 2; return 0;      /* MULTIPROCESSOR_COUNT */
    case 39: *value = 2048; return 0;   /* MAX_THREADS_PER_MULTIPROCESSOR */
  }
  return 1;
}
CUresult cuPointerGetAttribute(void *value, int attribute, address pointer) {
  switch (attribute) {
    case 9: *(unsigned *)value = pointer == 0x1000 || pointer == 0x2000; return pointer == 0x3000; /* DEVICE_ORDINAL */
    case 8: *(unsigned *)value = pointer == 0x2000; return 0;                                      /* IS_MANAGED */
  }
  return 1;
}
CUresult cuMemGetInfo_v2(size_t *available, size_t *total) {
  *total = 1u << 28;
  *available = *total - used;
  return 0;
}
CUresult cuMemAllocAsync(address *pointer, size_t size, handle stream) {
  size_t *block = malloc(size + 16);
  if (!block || size > 1u << 28) return 2;
  *block = size;
  used += size;
  memset(block + 2, 0xA5, size);
  *pointer = (address)(block + 2);
  return 0;
}
CUresult cuMemFreeAsync(address pointer, handle stream) {
  size_t *block = (size_t *)pointer - 2;
  used -= *block;
  free(block);
  return 0;
}
CUresult cuMemcpyDtoHAsync_v2(void *target, address source, size_t size, handle stream) {
  memcpy(target, (void *)source, size);
  return 0;
}
CUresult cuMemcpyHtoDAsync_v2(address target, const void *source, size_t size, handle stream) {
  memcpy((void *)target, source, size);
  return 0;
}
CUresult cuMemcpyDtoDAsync_v2(address target, address source, size_t size, handle stream) {
  memmove((void *)target, (void *)source, size);
  return 0;
}
static size_t events = 0;
CUresult cuEventCreate(handle *event, unsigned flags) { *event = (handle)++events; return flags == 2 ? 0 : 1; }
CUresult cuEventRecord(handle event, handle stream) { return 0; }
CUresult cuStreamWaitEvent(handle stream, handle event, unsigned flags) { return event == (handle)events ? 0 : 1; }
CUresult cuEventDestroy_v2(handle event) { return event == (handle)events ? 0 : 1; }
CUresult cuStreamSynchronize(handle stream) { return 0; }
CUresult cuModuleLoadDataEx(handle *module, const void *image, unsigned count, int *options, void **values) {
  *module = strdup(image);
  return strncmp(image, "adcore_", 7) ? 218 : 0;
}
CUresult cuModuleGetFunction(handle *function, handle module, const char *name) {
  size_t length = strlen(name);
  for (const char *line = module; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : 0)
    if (!strncmp(line, name, length) && line[length] == ' ') {
      *function = (handle)strtoull(line + length, 0, 10);
      return 0;
    }
  return 500;
}
CUresult cuLaunchKernel(handle function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
                        unsigned shared, handle stream, void **values, void **extra) {
  if (gy * gz * by * bz != 1 || !gx || !bx || bx > 1024 || shared || extra) return 1;
  ((void (*)(void **, long long))function)(values, (long long)gx * bx);
  return 0;
}
CUresult cuGetErrorString(CUresult error, const char **text) { *text = "an error"; return 0; }

CUresult cuGetProcAddress_v2(const char *name, void **function, int version, unsigned long long flags, int *status) {
  char later[200];
  snprintf(later, sizeof later, "%s_v2", name);
  *function = dlsym(RTLD_DEFAULT, later);
  if (!*function || strcmp(name, "cuGetProcAddress") == 0) {
    void *own = dlsym(RTLD_DEFAULT, name);
    if (own && !*function) *function = own;
  }
  Dl_info found;
  Dl_info here;
  dladdr((void *)cuInit, &here);
  if (*function && (!dladdr(*function, &found) || found.dli_fbase != here.dli_fbase)) *function = 0;
  if (status) *status = *function ? 0 : 1;
  return 0;
}
CUresult cuGetProcAddress(const char *name, void **function, int version, unsigned long long flags) {
  return cuGetProcAddress_v2(name, function, version, flags, 0);
}
