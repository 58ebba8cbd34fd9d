// Checkpoints: what their files say.
#include <memory>

#include "convert.hpp"
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
    const py::gil_scoped_release release;  // files may be slow
    checkpoint = inspect_checkpoint(value, Path("checkpoint"), problems, model_cache());
  }
  if (!checkpoint) raise_config_error(problems);
  return std::make_shared<Checkpoint>(std::move(*checkpoint));
}

}  // namespace

void register_checkpoint(py::module_& module) {
  const py::handle type(reinterpret_cast<PyObject*>(&PyType_Type));  // a plain type, as the stub says
  py::class_<Checkpoint, std::shared_ptr<Checkpoint>>(module, "Inspected", py::is_final(), py::metaclass(type),
                                                      "What was read of a checkpoint.")
      .def("data", &to_result<Checkpoint>, "Everything, as a CheckpointInfo.");
  module.def("inspect", &inspect, py::arg("checkpoint"), "Read a checkpoint's headers.");
}

}  // namespace quantmap::bindings
