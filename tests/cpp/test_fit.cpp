#include "quantmap/memory/fit.hpp"

#include <doctest/doctest.h>

#include <memory>

#include "quantmap/memory/model_size.hpp"

using namespace quantmap;

namespace {

// Four layers of 8 heads over 2 KV heads of size 16.
Architecture small() {
  Architecture out;
  out.hidden = 128;
  out.intermediate = 512;
  out.vocabulary = 1000;
  out.heads = 8;
  out.kv_heads = 2;
  out.head_size = 16;
  Layer layer;
  layer.heads = 8;
  layer.kv_heads = 2;
  layer.key_size = layer.value_size = 16;
  layer.intermediate = 512;
  out.layers.assign(4, layer);
  return out;
}

}  // namespace

TEST_CASE("parameters of a model and of one GPU") {
  const Architecture model = small();
  const double attention = 128.0 * (8 + 2 + 2 + 8) * 16;
  const double mlp = 3.0 * 128 * 512;
  const ParameterCount all = count_parameters(model, false);
  CHECK(all.linear == 4 * (attention + mlp));
  CHECK(all.embedding == 128000);
  CHECK(all.head == 128000);
  CHECK(all.other == 4 * 2 * 128 + 128);
  CHECK(all.experts == 0);
  CHECK(count_parameters(model, true).head == 0);
  const ParameterCount half = count_parameters(model, false, {2, 1}, stages_of(model, {2, 1}).front());
  CHECK(half.linear == all.linear / 2);
  CHECK(half.other == all.other);
  // With four GPUs each keeps one of two KV heads: more than a quarter.
  const ParameterCount quarter = count_parameters(model, false, {4, 1}, stages_of(model, {4, 1}).front());
  CHECK(quarter.linear == 4 * (128.0 * (2 + 1 + 1 + 2) * 16 + mlp / 4));
}

TEST_CASE("stages cover every layer once") {
  const Architecture model = small();
  for (std::int64_t count = 1; count <= 6; ++count) {
    const auto stages = stages_of(model, {1, count});
    CHECK(stages.size() == static_cast<std::size_t>(std::min<std::int64_t>(count, 4)));
    CHECK(stages.front().first);
    CHECK(stages.back().last);
    std::size_t at = 0;
    for (const PipelineStage& stage : stages) {
      CHECK(stage.begin == at);
      CHECK(stage.end > stage.begin);
      at = stage.end;
    }
    CHECK(at == 4);
  }
}

TEST_CASE("a tied model has a second embedding where its last stage is another one") {
  const Architecture model = small();
  const auto stages = stages_of(model, {1, 2});
  const ParameterCount last = count_parameters(model, true, {1, 2}, stages.back());
  CHECK(last.embedding == 0);
  CHECK(last.head == 128000);
}

TEST_CASE("what is cached") {
  Architecture model = small();
  const auto numbers = [&model](const Parallel& parallel) {
    double out = 0;
    for (const LayerCache& layer : layer_caches(model, parallel, stages_of(model, {}).front())) out += layer.numbers;
    return out;
  };
  CHECK(numbers({}) == 4 * 2 * 32);
  CHECK(numbers({8, 1}) == 4 * 1 * 32);
  model.layers[0].kind = LayerKind::kSliding;
  model.layers[0].window = 100;
  model.layers[1].kind = LayerKind::kLinear;
  model.layers[2].shares_cache = true;
  model.parts.recurrent.in = 64;
  model.parts.recurrent.convolved = 40;
  model.parts.recurrent.window = 3;
  model.parts.recurrent.state = 1000;
  const auto mixed = layer_caches(model, {2, 1}, stages_of(model, {}).front());
  REQUIRE(mixed.size() == 3);
  CHECK(mixed[0].kind == LayerCache::Kind::kSliding);
  CHECK(mixed[0].window == 100);
  CHECK(mixed[1].kind == LayerCache::Kind::kState);
  CHECK(mixed[1].convolved == 60);
  CHECK(mixed[1].state == 500);
  CHECK(mixed[2].kind == LayerCache::Kind::kFull);
  CHECK(mixed[2].numbers == 32);
}

TEST_CASE("a layer with a state has its own weights") {
  Architecture model = small();
  for (Layer& layer : model.layers) layer.kind = LayerKind::kLinear;
  CHECK(count_parameters(model, true).unknown_layers == 4);
  model.parts.recurrent.in = 100;
  model.parts.recurrent.out = 50;
  const ParameterCount count = count_parameters(model, true);
  CHECK(count.unknown_layers == 0);
  CHECK(count.linear == 4 * (128.0 * 150 + 3.0 * 128 * 512));
}

TEST_CASE("an estimate without a shape is an error") {
  const auto checkpoint = std::make_shared<Checkpoint>();
  FitRequest request;
  request.inspected = checkpoint;
  request.runtime = Value::text(std::string(catalog().engines[0].id));
  Diagnostics problems;
  CHECK_FALSE(estimate_fit(request, problems).has_value());
  CHECK(problems.has_errors());
  checkpoint->architecture = small();
  Diagnostics good;
  const auto fit = estimate_fit(request, good);
  REQUIRE(fit.has_value());
  CHECK(fit->verdict == FitVerdict::kUnknown);
  CHECK(fit->weight_bytes == fit->parameters * 2);
}
