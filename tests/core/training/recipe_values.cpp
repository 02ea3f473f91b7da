// SPDX-License-Identifier: Apache-2.0
// Gives Python tests what our recipe computes, to be compared with timm's value by value.
//
//   recipe_values schedule RECIPE STEPS_PER_EPOCH OUTPUT      rates [epochs * steps]
//   recipe_values mix RECIPE COUNT INPUT OUTPUT               images [B,3,S,S], classes [B] mixed
//   COUNT times recipe_values adamw RECIPE INPUT OUTPUT                   parameters p.*, gradients
//   0.*, 1.*, ...; rates recipe_values ema DECAY INPUT OUTPUT                      weights
//   0.*, 1.*, ... of a ConvMixer recipe_values clip LIMIT INPUT OUTPUT gradients
//
// RECIPE is JSON of the fields that differ from the defaults. INPUT and OUTPUT are safetensors
// files.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <iostream>

#include "base/error.h"
#include "core/io/safetensors.h"
#include "core/training/ema.h"
#include "core/training/mixup.h"
#include "core/training/optimizer.h"
#include "core/training/schedule.h"

namespace {

using namespace remixer;
using NamedTensors = std::vector<models::Model::NamedTensor>;

constexpr int64_t kClasses = 9;

experiments::Recipe recipe_of(const std::string& text) {
  experiments::Recipe recipe;
  const auto json = Json::parse(text);
  for (const auto& [name, value] : json.items()) {
    experiments::set_recipe_field(recipe, name, value);
  }
  return recipe;
}

void schedule(const experiments::Recipe& recipe, int64_t steps_per_epoch,
              const std::string& output) {
  const training::Schedule schedule(recipe, steps_per_epoch);
  at::Tensor rates = at::empty({recipe.epochs * steps_per_epoch}, at::kDouble);
  for (int64_t i = 0; i < rates.numel(); ++i) rates.data_ptr<double>()[i] = schedule.rate(i);
  io::write_safetensors(output, {{"rates", rates}});
}

// The numbers that the stream of one shard holds, in the order in which timm asks its own generator
// for them: whether to mix, which of the two, λ, and the box's centre. Nothing of draw_mix is used
// here.
at::Tensor stream_of(const experiments::Recipe& recipe, int64_t side, Random random) {
  std::vector<double> draws{random.uniform(), random.uniform()};
  const double alpha = draws[1] < recipe.mix_switch ? recipe.cutmix : recipe.mixup;
  draws.push_back(random.beta(alpha, alpha));
  for (int i = 0; i < 2; ++i) {
    draws.push_back(static_cast<double>(random.below(static_cast<uint64_t>(side))));
  }
  return at::tensor(draws, at::kDouble);
}

void mix(const experiments::Recipe& recipe, int64_t count, const std::string& input,
         const std::string& output) {
  const io::Safetensors given = io::read_safetensors(input);
  NamedTensors results;
  for (int64_t i = 0; i < count; ++i) {
    training::Batch batch;
    batch.images = given.at("images").clone();
    batch.classes = given.at("classes").clone();
    const int64_t side = batch.images.size(2);
    Random random(1, RandomPurpose::kMix, static_cast<uint64_t>(i));
    const std::string number = std::to_string(i) + ".";
    results.emplace_back(number + "draws", stream_of(recipe, side, random));
    const training::Mix mix = training::draw_mix(recipe, side, side, random);
    results.emplace_back(number + "targets",
                         training::apply_mix(mix, batch, 14, kClasses, recipe.label_smoothing));
    results.emplace_back(number + "images", batch.images);
  }
  io::write_safetensors(output, results);
}

void adamw(const experiments::Recipe& recipe, const std::string& input, const std::string& output) {
  const io::Safetensors given = io::read_safetensors(input);
  NamedTensors parameters, results;
  for (const auto& [name, tensor] : given.tensors) {
    if (name.starts_with("p."))
      parameters.emplace_back(name.substr(2), tensor.clone().requires_grad_());
  }
  training::AdamW optimizer(parameters, recipe);
  const at::Tensor rates = given.at("rates").to(at::kDouble);
  for (int64_t step = 0; step < rates.numel(); ++step) {
    const std::string number = std::to_string(step) + ".";
    for (const auto& [name, tensor] : parameters)
      tensor.mutable_grad() = given.at(number + name).clone();
    const double rate = rates[step].item<double>();
    optimizer.step(rate, rate);
    for (const auto& [name, tensor] : parameters)
      results.emplace_back(number + name, tensor.detach().clone());
  }
  for (const auto& [name, tensor] : parameters) {
    results.emplace_back("decayed." + name,
                         at::full({1}, training::is_undecayed(name, tensor) ? 0.0 : 1.0));
  }
  io::write_safetensors(output, results);
}

void ema(double decay, const std::string& input, const std::string& output) {
  const at::NoGradGuard no_grad;
  const io::Safetensors given = io::read_safetensors(input);
  const auto model = models::create_model_to_load(
      {.architecture = "convmixer_nano_patch4_32_full", .num_classes = kClasses, .image_size = 32});
  const auto set = [&](int64_t step) {
    for (const auto* list : {&model->parameters(), &model->buffers()}) {
      for (const auto& [name, tensor] : *list)
        tensor.copy_(given.at(std::to_string(step) + "." + name));
    }
  };
  set(0);
  training::MovingAverage average(*model, decay);
  for (int64_t step = 1; given.has(std::to_string(step) + ".head.bias"); ++step) {
    set(step);
    average.update();
  }
  io::write_safetensors(output, average.weights().tensors());
}

void clip(double limit, const std::string& input, const std::string& output) {
  NamedTensors parameters, results;
  for (const auto& [name, tensor] : io::read_safetensors(input).tensors) {
    parameters.emplace_back(name, at::zeros_like(tensor).requires_grad_());
    parameters.back().second.mutable_grad() = tensor.clone();
  }
  const double norm = training::clip_gradients(parameters, limit);
  for (const auto& [name, tensor] : parameters) results.emplace_back(name, tensor.grad());
  results.emplace_back("norm", at::full({1}, norm, at::kDouble));
  io::write_safetensors(output, results);
}

int run(const std::vector<std::string>& words) {
  const std::string what = words.empty() ? "" : words[0];
  if (what == "schedule" && words.size() == 4) {
    schedule(recipe_of(words[1]), std::stoll(words[2]), words[3]);
  } else if (what == "mix" && words.size() == 5) {
    mix(recipe_of(words[1]), std::stoll(words[2]), words[3], words[4]);
  } else if (what == "adamw" && words.size() == 4) {
    adamw(recipe_of(words[1]), words[2], words[3]);
  } else if (what == "ema" && words.size() == 4) {
    ema(std::stod(words[1]), words[2], words[3]);
  } else if (what == "clip" && words.size() == 4) {
    clip(std::stod(words[1]), words[2], words[3]);
  } else {
    std::cerr << "see recipe_values.cpp\n";
    return kExitBadInput;
  }
  return kExitDone;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return kExitFailure;
  }
}
