// SPDX-License-Identifier: Apache-2.0
#include "experiments/spec/task_result.h"

#include "base/object_reader.h"

namespace remixer::experiments {

template <typename V>
void describe(V& v, FieldsOf<V, PrepareResult>& m) {
  v("folder", m.folder);
  v("content_sha256", m.content_sha256);
  v.may_lack("images", m.images);
}

template <typename V>
void describe(V& v, FieldsOf<V, LabelResult>& m) {
  v("file", m.file);
  v.may_lack("content_sha256", m.content_sha256);
  v.may_lack("images", m.images);
  v.may_lack("resumed_at", m.resumed_at);
  v.may_lack("seconds", m.seconds);
}

template <typename V>
void describe(V& v, FieldsOf<V, TrainResult>& m) {
  v("model", m.model);
  v.may_lack("model_sha256", m.model_sha256);
  v.may_lack("ema", m.ema);  // null if there is none; the others are left out
  v.optional("ema_sha256", m.ema_sha256, std::nullopt);
  v.optional("best", m.best, std::nullopt);
  v.optional("best_sha256", m.best_sha256, std::nullopt);
  v.optional("best_epoch", m.best_epoch, std::nullopt);
  v.optional("hold_out_top1", m.hold_out_top1, std::nullopt);
  v.may_lack("kappa", m.kappa);
  v.may_lack("final_loss", m.final_loss);
  v.may_lack("steps", m.steps);
  v.may_lack("resumed_at", m.resumed_at);
  v.may_lack("seconds", m.seconds);
}

template <typename V>
void describe(V& v, FieldsOf<V, EvaluateResult>& m) {
  v("predictions", m.predictions);
  v.may_lack("predictions_sha256", m.predictions_sha256);
  v.may_lack("seconds", m.seconds);
}

template <typename V>
void describe(V& v, FieldsOf<V, SaliencyResult>& m) {
  v("saliency", m.saliency);
  v.may_lack("saliency_sha256", m.saliency_sha256);
  v.may_lack("images", m.images);
  v.may_lack("seconds", m.seconds);
}

std::optional<std::string> TrainResult::weights(const std::string& kind) const {
  if (kind == "raw") return model;
  if (kind == "ema") return ema;
  return kind == "best" ? best : std::nullopt;
}

Json result_json(const PrepareResult& result) {
  return ObjectWriter::write(result);
}
Json result_json(const LabelResult& result) {
  return ObjectWriter::write(result);
}
Json result_json(const TrainResult& result) {
  return ObjectWriter::write(result);
}
Json result_json(const EvaluateResult& result) {
  return ObjectWriter::write(result);
}
Json result_json(const SaliencyResult& result) {
  return ObjectWriter::write(result);
}

namespace {

template <typename Result>
Result read_result(const Json& json) {
  Result result;
  LenientReader::read(json, "result", result);
  return result;
}

}  // namespace

template <>
PrepareResult task_result(const Json& json) {
  return read_result<PrepareResult>(json);
}
template <>
LabelResult task_result(const Json& json) {
  return read_result<LabelResult>(json);
}
template <>
TrainResult task_result(const Json& json) {
  return read_result<TrainResult>(json);
}
template <>
EvaluateResult task_result(const Json& json) {
  return read_result<EvaluateResult>(json);
}
template <>
SaliencyResult task_result(const Json& json) {
  return read_result<SaliencyResult>(json);
}

}  // namespace remixer::experiments
