// The build for AVX2 with F16C; compiled with flags of its own (CMakeLists.txt) and called after a look at the
// processor.
#if defined(__x86_64__)
#define QUANTMAP_KERNEL avx2_kernel
#include "quantize/kernel_builds.hpp"
#include "quantize/kernel_eight.hpp"
#include "quantize/kernel_quick.hpp"
#include "quantize/kernel_tiles.hpp"

namespace quantmap {

bool encode_in_avx2(const Encoding& how, const RowSpan& span, RowSums& out) {
  return avx2_kernel::encode_quickly<avx2_kernel::Eight>(how, span, out);
}

namespace {

void encode(const Encoding& how, const RowSpan& span, RowSums& out) {
  if (!encode_in_avx2(how, span, out)) avx2_kernel::encode<avx2_kernel::Eight>(how, span, out);
}

}  // namespace

const Kernels& avx2_kernels() noexcept {
  using avx2_kernel::Eight;
  static const Kernels kBuild{"avx2", avx2_kernel::absmax_quickly<Eight>, avx2_kernel::scales<Eight>, encode};
  return kBuild;
}

}  // namespace quantmap
#endif
