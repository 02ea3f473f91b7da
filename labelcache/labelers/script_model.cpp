// SPDX-License-Identifier: Apache-2.0
#include "labelcache/labelers/script_model.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/div.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/sub.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/csrc/jit/serialization/import.h>

#include <toml++/toml.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/nearest_name.h"
#include "base/one_line.h"

namespace remixer::labelcache {
namespace {

// The keys of one description; each is read once.
class Reader {
 public:
  explicit Reader(const std::filesystem::path& file) : file_(file.string()) {
    try {
      table_ = toml::parse(read_file(file), file_);
    } catch (const toml::parse_error& error) {
      fail_input("{}:{}: {}", file_, error.source().begin.line, one_line(error.description()));
    }
  }
  template <typename T>
  void read(const char* key, T& value) {
    known_.push_back(key);
    const toml::node* node = table_.get(key);
    if (!node) return;
    const auto given = node->value_exact<T>();
    if (!given) fail_input("{}: {} is of another type than expected", file_, key);
    value = *given;
  }
  void read(const char* key, std::array<double, 3>& values) {
    known_.push_back(key);
    const toml::node* node = table_.get(key);
    if (!node) return;
    const toml::array* array = node->as_array();
    if (!array || array->size() != 3) fail_input("{}: {} must be three numbers", file_, key);
    for (size_t i = 0; i < 3; ++i) {
      const auto number = array->get(i)->value<double>();
      if (!number) fail_input("{}: {} must be three numbers", file_, key);
      values[i] = *number;
    }
  }
  void one_of(const char* key, std::string& value, const std::vector<std::string>& known) {
    read(key, value);
    if (std::find(known.begin(), known.end(), value) == known.end()) {
      fail_input("{}: {}", file_, unknown_name(key, value, known));
    }
  }
  void finish() const {
    for (const auto& [key, node] : table_) {
      const std::string name(key.str());
      if (std::find(known_.begin(), known_.end(), name) != known_.end()) continue;
      fail_input("{}:{}: {}", file_, node.source().begin.line, unknown_name("key", name, known_));
    }
  }

 private:
  std::string file_;
  toml::table table_;
  std::vector<std::string> known_;
};

}  // namespace

ScriptDescription read_script_description(const std::filesystem::path& file) {
  ScriptDescription made;
  std::string model;
  Reader reader(file);
  reader.one_of("kind", made.kind, {"saliency", "classifier"});
  reader.read("model", model);
  reader.read("input_size", made.input.side);
  reader.read("keep_aspect", made.input.keep_aspect);
  reader.one_of("scale", made.scale, {"255", "none", "largest"});
  reader.read("mean", made.mean);
  reader.read("deviation", made.deviation);
  reader.read("output", made.output);
  reader.read("channel", made.channel);
  reader.one_of("activation", made.activation, {"none", "sigmoid", "softmax"});
  reader.read("invert", made.invert);
  reader.read("stretch", made.stretch);
  reader.read("batch", made.batch);
  reader.finish();
  const auto within = [&](const char* key, int64_t value, int64_t low, int64_t high) {
    if (value >= low && value <= high) return;
    fail_input("{}: {} is {}; it must be at least {} and at most {}", file.string(), key, value,
               low, high);
  };
  if (model.empty())
    fail_input("{}: model = \"...\" is missing: the TorchScript file", file.string());
  within("input_size", made.input.side, 16, 4096);
  within("output", made.output, 0, 100);
  within("channel", made.channel, 0, 65535);
  within("batch", made.batch, 1, 1024);
  for (const double deviation : made.deviation) {
    if (!(deviation > 0)) fail_input("{}: deviation must be above 0", file.string());
  }
  made.model = file.parent_path() / model;
  made.model_sha256 = sha256_file(made.model);
  return made;
}

Json ScriptDescription::identity() const {
  return {{"kind", kind},
          {"input_size", input.side},
          {"keep_aspect", input.keep_aspect},
          {"scale", scale},
          {"mean", mean},
          {"deviation", deviation},
          {"output", output},
          {"channel", channel},
          {"activation", activation},
          {"invert", invert},
          {"stretch", stretch},
          {"batch", batch},
          {"model_sha256", model_sha256}};
}

std::string to_toml(const ScriptDescription& d, const std::string& model) {
  toml::table table;
  table.insert("kind", d.kind);
  table.insert("model", model);
  table.insert("input_size", d.input.side);
  table.insert("keep_aspect", d.input.keep_aspect);
  table.insert("scale", d.scale);
  table.insert("mean", toml::array{d.mean[0], d.mean[1], d.mean[2]});
  table.insert("deviation", toml::array{d.deviation[0], d.deviation[1], d.deviation[2]});
  table.insert("output", d.output);
  table.insert("channel", d.channel);
  table.insert("activation", d.activation);
  table.insert("invert", d.invert);
  table.insert("stretch", d.stretch);
  table.insert("batch", d.batch);
  std::ostringstream text;
  text << table << '\n';
  return text.str();
}

struct ScriptModel::Module {
  torch::jit::Module module;
};

ScriptModel::ScriptModel(ScriptDescription description, at::Device device)
    : description_(std::move(description)),
      module_(std::make_unique<Module>()),
      mean_(per_channel(description_.mean, device)),
      deviation_(per_channel(description_.deviation, device)) {
  const std::string name = description_.model.string();
  try {
    module_->module = torch::jit::load(name, device);
    module_->module.eval();
    const int64_t side = description_.input.side;
    const at::Tensor answer =
        output(at::zeros({1, 3, side, side}, at::TensorOptions(at::kFloat).device(device)));
    channels_ = answer.size(1);
  } catch (const InputError&) {
    throw;
  } catch (const c10::Error& error) {
    fail_input("{}: cannot be run as TorchScript: {}", name,
               std::string(error.what_without_backtrace()).substr(0, 300));
  } catch (const std::exception& error) {
    fail_input("{}: cannot be run as TorchScript: {}", name,
               std::string(error.what()).substr(0, 300));
  }
  if (description_.kind == "saliency" && description_.channel >= channels_) {
    fail_input("{}: has {} output channels, the description asks for number {}", name, channels_,
               description_.channel);
  }
}

ScriptModel::~ScriptModel() = default;

at::Tensor ScriptModel::output(const at::Tensor& pixels) const {
  const at::NoGradGuard no_grad;
  const at::AutoDispatchBelowADInplaceOrView below_autograd;
  // No specialisation at run time: the sums are the same in every call and thread.
  const torch::jit::GraphOptimizerEnabledGuard unoptimised(false);
  at::Tensor x = pixels;
  if (description_.scale == "255") x = x / 255;
  if (description_.scale == "largest") x = x / x.amax({1, 2, 3}, true).clamp_min(kTiny);
  x = (x - mean_) / deviation_;
  c10::IValue answer = module_->module.forward({x.contiguous()});
  if (!answer.isTensor()) {
    std::vector<c10::IValue> answers;
    if (answer.isTuple()) answers = answer.toTupleRef().elements().vec();
    if (answer.isList()) answers = answer.toList().vec();
    const auto wanted = static_cast<size_t>(description_.output);
    if (wanted >= answers.size() || !answers[wanted].isTensor()) {
      fail_input("{}: gives no output number {} that is a tensor", description_.model.string(),
                 description_.output);
    }
    answer = answers[wanted];
  }
  at::Tensor tensor = answer.toTensor().to(at::kFloat);
  if (tensor.dim() == 3) tensor = tensor.unsqueeze(1);
  if (tensor.dim() != 4 || tensor.size(0) != pixels.size(0)) {
    fail_input("{}: its output is not [images, channels, height, width]",
               description_.model.string());
  }
  return tensor;
}

at::Tensor ScriptModel::saliency(const at::Tensor& pixels) const {
  at::Tensor maps = output(pixels);
  if (description_.activation == "softmax") maps = maps.softmax(1);
  maps = maps.narrow(1, description_.channel, 1);
  if (description_.activation == "sigmoid") maps = maps.sigmoid();
  if (description_.invert) maps = 1 - maps;
  if (description_.stretch) maps = stretched(maps);
  return maps.clamp(0, 1);
}

}  // namespace remixer::labelcache
