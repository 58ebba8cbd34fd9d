// Checkpoints: what their files say.
#include <memory>

#include "convert.hpp"
#include "function.hpp"
#include "quantmap/model/checkpoint.hpp"
#include "quantmap/results/checkpoints.hpp"
#include "register.hpp"
#include "report.hpp"
#include "results.hpp"
#include "where.hpp"

namespace quantmap::bindings {

namespace {

std::shared_ptr<Checkpoint> inspect(const py::object& object) {
  const Value value = to_checkpoint_value(object);
  Diagnostics problems;
  std::optional<Checkpoint> checkpoint;
  {
    const py::gil_scoped_release_simple release;  // files may be slow
    checkpoint = inspect_checkpoint(value, Path("checkpoint"), problems, model_cache());
  }
  if (!checkpoint) raise_config_error(problems);
  return std::make_shared<Checkpoint>(std::move(*checkpoint));
}

using Inspected = std::shared_ptr<Checkpoint>;

py::object data_of(const Inspected& inspected) { return to_result(*inspected); }

constexpr Function kCheckpointMethods[] = {function<&data_of>("data", "", "Everything, as a CheckpointInfo.")};

constexpr Function kCheckpointFunctions[] = {
    function<&inspect>("inspect", "checkpoint", "Read a checkpoint's headers."),
};

}  // namespace

void register_checkpoint(py::handle module) {
  add_class<Inspected>(module, "Inspected", "What was read of a checkpoint.", kCheckpointMethods);
  add_functions(module, kCheckpointFunctions);
}

}  // namespace quantmap::bindings
