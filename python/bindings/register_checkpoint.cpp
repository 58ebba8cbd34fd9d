// Checkpoints: what their files say.
#include <memory>

#include "convert.hpp"
#include "quantmap/model/checkpoint.hpp"
#include "register.hpp"
#include "report.hpp"
#include "where.hpp"

namespace quantmap::bindings {

namespace {

// Numbers that a config does not give are None in Python.
py::object given(std::int64_t number) { return number == 0 ? py::object(py::none()) : py::object(py::int_(number)); }
py::object given(double number) { return number == 0 ? py::object(py::none()) : py::object(py::float_(number)); }
py::object given(const std::string& words) { return words.empty() ? py::object(py::none()) : py::object(text(words)); }
py::object given(const std::optional<bool>& flag) {
  return flag ? py::object(py::bool_(*flag)) : py::object(py::none());
}

py::dict scheme_data(const Scheme& scheme) {
  py::dict out;
  out["name"] = text(scheme.name);
  out["targets"] = texts(scheme.targets);
  out["weight_bits"] = given(scheme.weight_bits);
  out["weight_type"] = given(scheme.weight_type);
  out["group_size"] = given(scheme.group_size);
  py::object block = py::none();
  if (scheme.block[0] > 0) block = py::make_tuple(scheme.block[0], scheme.block[1]);
  out["block"] = block;
  out["symmetric"] = given(scheme.symmetric);
  out["activation_bits"] = given(scheme.activation_bits);
  out["activation_type"] = given(scheme.activation_type);
  out["dynamic"] = given(scheme.dynamic);
  return out;
}

py::dict quantization_data(const Quantization& quantization) {
  py::dict out;
  out["kind"] = text(catalog().checkpoint_kinds[quantization.kind].id);
  out["title"] = text(catalog().checkpoint_kinds[quantization.kind].title);
  out["method"] = given(quantization.method);
  out["algorithm"] = given(quantization.algorithm);
  out["source"] = given(quantization.source);
  py::list schemes;
  for (const Scheme& scheme : quantization.schemes) schemes.append(scheme_data(scheme));
  out["schemes"] = schemes;
  out["excluded"] = texts(quantization.excluded);
  out["kv_dtype"] = given(quantization.kv_dtype);
  out["kv_scales"] = given(quantization.kv_scales);
  return out;
}

py::dict layer_data(const Layer& layer) {
  py::dict out;
  out["kind"] = text(name_of(layer.kind));
  out["heads"] = layer.heads;
  out["kv_heads"] = layer.kv_heads;
  out["key_size"] = layer.key_size;
  out["value_size"] = layer.value_size;
  out["window"] = given(layer.window);
  out["intermediate"] = given(layer.intermediate);
  out["experts"] = layer.experts;
  out["shares_cache"] = layer.shares_cache;
  out["compression"] = layer.compression;
  out["caches"] = layer.caches;
  return out;
}

py::dict architecture_data(const Architecture& model) {
  py::dict out;
  out["model_type"] = given(model.model_type);
  out["text_type"] = given(model.text_type);
  out["classes"] = texts(model.classes);
  out["hidden"] = given(model.hidden);
  out["intermediate"] = given(model.intermediate);
  out["vocabulary"] = given(model.vocabulary);
  out["heads"] = given(model.heads);
  out["kv_heads"] = given(model.kv_heads);
  out["head_size"] = given(model.head_size);
  out["max_length"] = given(model.max_length);
  out["window"] = given(model.window);
  py::object mla = py::none();
  if (model.is_mla()) {
    py::dict data;
    data["kv_rank"] = model.mla.kv_rank;
    data["q_rank"] = given(model.mla.q_rank);
    data["rope_size"] = given(model.mla.rope_size);
    data["nope_size"] = given(model.mla.nope_size);
    data["value_size"] = given(model.mla.value_size);
    data["index_size"] = given(model.mla.index_size);
    mla = data;
  }
  out["mla"] = mla;
  py::object experts = py::none();
  if (model.is_moe()) {
    py::dict data;
    data["routed"] = model.experts.routed;
    data["shared"] = model.experts.shared;
    data["per_token"] = given(model.experts.per_token);
    data["intermediate"] = given(model.experts.intermediate);
    data["shared_intermediate"] = given(model.experts.shared_intermediate);
    experts = data;
  }
  out["experts"] = experts;
  py::list layers;
  for (const Layer& layer : model.layers) layers.append(layer_data(layer));
  out["layers"] = layers;
  out["tied_embeddings"] = given(model.tied_embeddings);
  out["dtype"] = given(model.dtype);
  return out;
}

py::dict weights_data(const Weights& weights) {
  py::dict out;
  out["tensors"] = weights.tensors;
  out["parameters"] = weights.parameters;
  out["bytes"] = weights.bytes;
  py::dict parts;
  for (std::size_t i = 0; i < kModuleClasses; ++i) {
    const WeightShare& share = weights.parts[i];
    py::dict data;
    data["tensors"] = share.tensors;
    data["parameters"] = share.parameters;
    data["bytes"] = share.bytes;
    data["quantized_bytes"] = share.quantized_bytes;
    parts[text(name_of(static_cast<ModuleClass>(i)))] = data;
  }
  out["parts"] = parts;
  py::list dtypes;
  for (const DtypeShare& share : weights.dtypes) {
    py::dict data;
    data["dtype"] = text(share.dtype);
    data["tensors"] = share.tensors;
    data["bytes"] = share.bytes;
    dtypes.append(data);
  }
  out["dtypes"] = dtypes;
  out["has_head"] = weights.has_head;
  out["complete"] = weights.complete;
  return out;
}

py::list detections_data(const std::vector<Detection>& detections) {
  py::list out;
  for (const Detection& detection : detections) {
    py::dict data;
    data["engine"] = text(detection.engine->id);
    data["engine_name"] = text(detection.engine->name);
    data["method"] = given(detection.method);
    data["source"] = given(detection.source);
    data["refused"] = detection.refused;
    data["reason"] = given(detection.reason);
    data["evidence"] = texts(detection.evidence);
    out.append(data);
  }
  return out;
}

py::list disagreements_data(const std::vector<Disagreement>& disagreements) {
  py::list out;
  for (const Disagreement& item : disagreements) {
    py::list claims;
    for (const auto& [source, words] : item.claims) claims.append(py::make_tuple(text(source), text(words)));
    py::dict data;
    data["subject"] = text(item.subject);
    data["claims"] = claims;
    data["consequence"] = text(item.consequence);
    out.append(data);
  }
  return out;
}

py::dict checkpoint_data(const Checkpoint& checkpoint) {
  py::dict out;
  out["source"] = given(checkpoint.source);
  out["folder"] = given(checkpoint.folder);
  out["revision"] = given(checkpoint.revision);
  out["format"] = given(checkpoint.format);
  out["evidence"] = text(name_of(checkpoint.evidence));
  py::list files;
  for (const FileRead& file : checkpoint.files) {
    py::dict data;
    data["name"] = text(file.name);
    data["size"] = file.size;
    data["bytes_read"] = file.bytes_read;
    files.append(data);
  }
  out["files"] = files;
  out["bytes_read"] = checkpoint.bytes_read;
  out["quantization"] = quantization_data(checkpoint.quantization);
  out["architecture"] =
      checkpoint.architecture ? py::object(architecture_data(*checkpoint.architecture)) : py::object(py::none());
  out["weights"] = checkpoint.weights ? py::object(weights_data(*checkpoint.weights)) : py::object(py::none());
  out["detections"] = detections_data(checkpoint.detections);
  out["disagreements"] = disagreements_data(checkpoint.disagreements);
  out["notes"] = to_python(checkpoint.notes);
  return out;
}

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
      .def("data", &checkpoint_data, "Everything as plain data.");
  module.def("inspect", &inspect, py::arg("checkpoint"), "Read a checkpoint's headers.");
}

}  // namespace quantmap::bindings
