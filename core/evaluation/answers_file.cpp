#include "core/evaluation/answers_file.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>

#include "base/error.h"
#include "core/io/safetensors.h"

namespace remixer::evaluation {
namespace {

template <typename T>
at::Tensor tensor_of(const std::vector<T>& values, at::IntArrayRef shape, at::ScalarType type) {
  return at::from_blob(const_cast<T*>(values.data()), shape, type).clone();
}

at::Tensor classes_tensor(const Answers& answers) {
  const at::ScalarType type = answers.model_classes <= 256 ? at::kByte : at::kInt;
  const std::vector<int32_t> wide(answers.classes.begin(), answers.classes.end());
  return tensor_of(wide, {answers.images(), answers.kept}, at::kInt).to(type);
}

template <typename T>
std::vector<T> values_of(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.contiguous().flatten();
  return {flat.const_data_ptr<T>(), flat.const_data_ptr<T>() + flat.numel()};
}

Answers answers_of(const io::Safetensors& file, const std::string& weights) {
  const at::Tensor& classes = file.at(weights + ".classes");
  const at::Tensor& logits = file.at(weights + ".logits");
  const at::Tensor& normalizer = file.at(weights + ".normalizer");
  const auto count = file.metadata.find("model_classes");
  if (classes.dim() != 2 || logits.sizes() != classes.sizes() || normalizer.dim() != 1 ||
      normalizer.size(0) != classes.size(0) || logits.scalar_type() != at::kFloat ||
      normalizer.scalar_type() != at::kFloat || classes.is_floating_point() ||
      count == file.metadata.end()) {
    fail_input("{}: these are no answers of a model: '{}' has other shapes or types",
               file.path.string(), weights);
  }
  Answers answers;
  answers.model_classes = std::strtoll(count->second.c_str(), nullptr, 10);
  answers.kept = classes.size(1);
  const auto wide = values_of<int32_t>(classes.to(at::kInt));
  for (const int32_t value : wide) {
    if (value < 0 || value >= answers.model_classes) {
      fail_input("{}: '{}.classes' names class {} of {}", file.path.string(), weights, value,
                 answers.model_classes);
    }
  }
  answers.classes.assign(wide.begin(), wide.end());
  answers.logits = values_of<float>(logits);
  answers.normalizer = values_of<float>(normalizer);
  return answers;
}

}  // namespace

void write_answers(const std::filesystem::path& path, const AnswersFile& file) {
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  int64_t model_classes = 0;
  for (const auto& [weights, answers] : file.by_weights) {
    model_classes = answers.model_classes;
    tensors.emplace_back(weights + ".classes", classes_tensor(answers));
    tensors.emplace_back(weights + ".logits",
                         tensor_of(answers.logits, {answers.images(), answers.kept}, at::kFloat));
    tensors.emplace_back(weights + ".normalizer",
                         tensor_of(answers.normalizer, {answers.images()}, at::kFloat));
  }
  const auto count = static_cast<int64_t>(file.labels.size());
  tensors.emplace_back("labels", tensor_of(file.labels, {count}, at::kInt));
  io::write_safetensors(path, tensors,
                        {{"cell", file.cell},
                         {"dataset_sha256", file.dataset_sha256},
                         {"eval_set", file.eval_set},
                         {"model_classes", std::to_string(model_classes)}});
}

AnswersFile read_answers(const std::filesystem::path& path) {
  const io::Safetensors tensors = io::read_safetensors(path);
  AnswersFile file;
  const at::Tensor& labels = tensors.at("labels");
  if (labels.dim() != 1 || labels.scalar_type() != at::kInt) {
    fail_input("{}: 'labels' must be [n] of type I32", path.string());
  }
  file.labels = values_of<int32_t>(labels);
  const auto text = [&](const char* key) {
    const auto found = tensors.metadata.find(key);
    return found == tensors.metadata.end() ? std::string() : found->second;
  };
  file.eval_set = text("eval_set");
  file.dataset_sha256 = text("dataset_sha256");
  file.cell = text("cell");
  constexpr std::string_view kSuffix = ".normalizer";
  for (const auto& [name, tensor] : tensors.tensors) {
    if (!std::string_view(name).ends_with(kSuffix)) continue;
    const std::string weights = name.substr(0, name.size() - kSuffix.size());
    file.by_weights[weights] = answers_of(tensors, weights);
    if (file.by_weights[weights].images() != static_cast<int64_t>(file.labels.size())) {
      fail_input("{}: '{}' answers {} images, there are {} labels", path.string(), weights,
                 file.by_weights[weights].images(), file.labels.size());
    }
  }
  return file;
}

}  // namespace remixer::evaluation
