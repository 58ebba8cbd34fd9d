#include "answers.hpp"

#include <memory>
#include <optional>

#include "describe.hpp"
#include "quantmap/base/json_io.hpp"
#include "quantmap/mapping/launch.hpp"

namespace quantmap::wasm {

namespace {

Value at(const Value& question, std::string_view key) {
  const Value* found = question.find(key);
  return found == nullptr ? Value() : *found;
}

std::string word(const Value& question, std::string_view key) {
  const Value found = at(question, key);
  return found.is_text() ? found.as_text() : std::string();
}

using Answer = std::optional<Value>;

void take_where(const Value& question, DeploymentRequest& request) {
  request.engine_version = at(question, "engine_version");
  request.gpu = at(question, "gpu");
  request.checkpoint = at(question, "checkpoint");
}

Answer explain(const Value& question, Diagnostics& problems) {
  LaunchRequest request;
  request.runtime = at(question, "runtime");
  request.quant_config = at(question, "quant_config");
  request.user_parameters = at(question, "user_parameters");
  take_where(question, request);
  const std::optional<Mapping> mapping = launch(request, problems);
  if (!mapping) return std::nullopt;
  const std::string model = word(question, "model");
  return described(*mapping, model.empty() ? "MODEL" : model);
}

Answer check(const Value& question, Diagnostics& problems) {
  CheckRequest request;
  request.command = at(question, "command");
  request.engine = at(question, "engine");
  take_where(question, request);
  const std::optional<CheckedScript> checked = check_script(request, problems);
  return checked ? Answer(described(*checked)) : std::nullopt;
}

Answer fit(const Value& question, Diagnostics& problems) {
  FitRequest request;
  request.runtime = at(question, "runtime");
  request.quant_config = at(question, "quant_config");
  request.user_parameters = at(question, "user_parameters");
  take_where(question, request);
  request.tensor = at(question, "tp");
  request.context = at(question, "context");
  request.concurrency = at(question, "concurrency");
  request.memory_fraction = at(question, "memory_fraction");
  if (request.checkpoint.is_null()) return std::nullopt;
  const std::optional<MemoryFit> found = estimate_fit(request, problems);
  return found ? Answer(described(*found)) : std::nullopt;
}

Answer inspect(const Value& question, Diagnostics& problems) {
  DeploymentRequest request;
  take_where(question, request);
  const std::shared_ptr<const Checkpoint> checkpoint = read_checkpoint(request, problems);
  return checkpoint == nullptr ? std::nullopt : Answer(described(*checkpoint));
}

Answer answer_to(const Value& question, Diagnostics& problems) {
  const std::string asked = word(question, "ask");
  if (asked == "start") return choices();
  if (asked == "explain") return explain(question, problems);
  if (asked == "check") return check(question, problems);
  if (asked == "fit") return fit(question, problems);
  if (asked == "inspect") return inspect(question, problems);
  return std::nullopt;
}

}  // namespace

std::string answer(std::string_view question) {
  Diagnostics problems;
  const std::optional<Value> read = read_json(question, Path("$"), problems);
  Answer found;
  if (read && !problems.has_errors()) found = answer_to(*read, problems);
  Value out = Value::object();
  if (found && !problems.has_errors()) {
    out.set("answer", std::move(*found));
  } else {
    out.set("errors", described(problems));
  }
  return write_json(out);
}

}  // namespace quantmap::wasm
