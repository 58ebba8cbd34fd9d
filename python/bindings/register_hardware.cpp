// GPUs: what a name means, and the tables behind it.
#include "convert.hpp"
#include "function.hpp"
#include "quantmap/base/json_io.hpp"
#include "quantmap/release/gpu.hpp"
#include "quantmap/results/memory.hpp"
#include "register.hpp"
#include "report.hpp"
#include "results.hpp"

namespace quantmap::bindings {

namespace {

py::object gpu_info(const py::object& gpu) {
  Diagnostics problems;
  const std::optional<Gpu> found = read_gpu(gpu_to_core(gpu), Path("gpu"), problems);
  if (!found) raise_config_error(problems);
  log_warnings(problems);
  return to_result(*found);
}

py::list products() {
  py::list out;
  for (const GpuProduct& product : catalog().hardware.products) {
    py::dict row;
    row["id"] = text(product.id);
    row["name"] = text(product.name);
    row["capability"] = text(results::dotted(product.capability));
    row["names"] = texts(product.names);
    py::list memory;
    for (const GpuMemory& size : product.memory) memory.append(make_tuple(size.gb, size.reported_mib));
    row["memory"] = memory;
    row["evidence"] = texts(product.evidence);
    out.append(row);
  }
  return out;
}

// One entry for each class that rules tell apart, without "no GPU given".
py::list gpu_classes() {
  py::list out;
  for (const GpuClass& item : catalog().gpu_classes.part(1)) {
    py::dict row;
    row["id"] = text(item.id);
    row["title"] = text(item.title);
    row["capability"] = text(results::dotted(item.floor));
    const GpuCapability* cuda = capability_info(item.floor);
    row["cuda"] = cuda == nullptr ? none() : py::object(text(cuda->cuda));
    const GpuArchitecture* last = nullptr;
    for (const GpuArchitecture& architecture : catalog().hardware.architectures) {
      if (architecture.capability <= item.floor) last = &architecture;
    }
    row["architecture"] = last == nullptr ? none() : py::object(text(last->id));
    out.append(row);
  }
  return out;
}

py::list hardware_claims() {
  py::list out;
  for (const HardwareClaim& claim : catalog().hardware.claims) {
    py::dict row;
    row["id"] = text(claim.id);
    row["title"] = text(claim.title);
    row["documented"] = texts(claim.documented);
    row["cuda"] = or_none(claim.cuda);
    Diagnostics problems;
    const std::optional<Value> config = read_json(claim.config, Path("$"), problems);
    row["config"] = config ? to_python(*config) : none();
    row["checkpoint"] = or_none(claim.checkpoint);
    row["source"] = text(claim.source);
    out.append(row);
  }
  return out;
}

constexpr Function kHardwareFunctions[] = {
    function<&gpu_info>("gpu_info", "gpu", "What a GPU's name or capability means."),
    function<&products>("gpu_products", "", "Every GPU known by name."),
    function<&gpu_classes>("gpu_classes", "", "The classes of GPUs that rules tell apart."),
    function<&hardware_claims>("hardware_claims", "", "The rows of the specification's hardware matrices."),
};

}  // namespace

void register_hardware(py::handle module) { add_functions(module, kHardwareFunctions); }

}  // namespace quantmap::bindings
