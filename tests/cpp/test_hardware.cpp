#include "quantmap/release/gpu.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace quantmap;

namespace {

std::string class_of(std::string_view name) {
  Diagnostics problems;
  const auto gpu = find_gpu(name, Path("gpu"), problems);
  CHECK(gpu.has_value() != problems.has_errors());
  return gpu ? std::string(catalog().gpu_classes[gpu->gpu_class].id) : std::string();
}

int size_of(std::string_view name) {
  Diagnostics problems;
  const auto gpu = find_gpu(name, Path("gpu"), problems);
  return gpu ? gpu->sold_gb : -1;
}

}  // namespace

TEST_CASE("a GPU by product, capability or class") {
  CHECK(class_of(" H100 ") == "sm90");
  CHECK(class_of("nvidia geforce rtx 4090") == "sm89");
  CHECK(class_of("RTX4090") == "sm89");
  CHECK(class_of("A100-SXM4-80GB") == "sm80");
  CHECK(class_of("NVIDIA RTX PRO 6000 Blackwell Max-Q Workstation Edition") == "sm120");
  CHECK(class_of("8.7") == "sm80");
  CHECK(class_of("sm_100a") == "sm100");
  CHECK(class_of("compute_90") == "sm90");
  CHECK(class_of("10.3") == "sm100");
  for (const std::string_view wrong : {"", "sm", "9", "1234", "unknown", "h1", "5.0", "H1000", "A100 banana", "MI300X",
                                       "9.0.0", "-9.0", "TPU v6e", "H100 81GB"}) {
    CHECK(class_of(wrong).empty());
  }
}

TEST_CASE("every name of the catalogue is found, and its sizes") {
  for (const GpuProduct& product : catalog().hardware.products) {
    for (const std::string_view name : product.names) {
      for (const GpuMemory& size : product.memory) {
        Diagnostics problems;
        const std::string text = "NVIDIA " + std::string(name) + " " + std::to_string(size.gb) + "GB";
        const auto gpu = find_gpu(text, Path("gpu"), problems);
        REQUIRE(gpu.has_value());
        CHECK(gpu->product == &product);
        CHECK(gpu->sold_gb == size.gb);
        CHECK_FALSE(gpu->size_assumed);
        if (size.reported_mib > 0) CHECK(gpu->memory_bytes == std::uint64_t(size.reported_mib) * 1048576);
        // what the driver reports lies between 10^9 and 2^30 for each GB sold, but for ECC's share
        if (size.reported_mib > 0) CHECK(double(gpu->memory_bytes) / size.gb > 0.93e9);
        if (size.reported_mib > 0) CHECK(double(gpu->memory_bytes) / size.gb <= 1073741824.0);
      }
    }
  }
}

TEST_CASE("words behind the name choose the size") {
  CHECK(size_of("NVIDIA H100 80GB HBM3") == 80);
  CHECK(size_of("NVIDIA H100 NVL") == 94);
  CHECK(size_of("NVIDIA GH200 480GB") == 96);
  CHECK(size_of("A100 40 GB") == 40);
  CHECK(size_of("A100-40G") == 40);
  CHECK(size_of("NVIDIA A100-SXM4-40GB MIG 1g.5gb") == 5);
  Diagnostics problems;
  CHECK(find_gpu("A100", Path("gpu"), problems)->size_assumed);
}

TEST_CASE("a GPU as a machine reports it") {
  Value value = Value::object();
  value.set("name", Value::text("NVIDIA H100 80GB HBM3"));
  value.set("capability", Value::text("9.0"));
  value.set("memory_bytes", Value::integer("85520809984"));
  Diagnostics problems;
  const auto gpu = read_gpu(value, Path("gpu"), problems);
  REQUIRE(gpu.has_value());
  CHECK(gpu->memory_bytes == 85520809984);
  CHECK(gpu->reported);
  CHECK(problems.all().empty());
  for (const char* wrong : {"-1", "99999999999999999999999"}) {
    Value bad = Value::object();
    bad.set("capability", Value::text("9.0"));
    bad.set("memory_bytes", Value::integer(wrong));
    Diagnostics found;
    CHECK_FALSE(read_gpu(bad, Path("gpu"), found).has_value());
    CHECK(found.has_errors());
  }
}
