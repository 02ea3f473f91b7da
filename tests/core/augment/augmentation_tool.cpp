// SPDX-License-Identifier: Apache-2.0
// Lets the Python tests call the augmentation: reads requests, one JSON object a line, from
// standard input, writes the pixels asked for to the file "output" and answers with one line of
// JSON.
#include <fmt/format.h>

#include <fstream>
#include <iostream>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "core/augment/augmentation.h"
#include "core/augment/erasing.h"
#include "core/image/image_decode.h"
#include "core/training/plan.h"

namespace remixer::data {
namespace {

template <typename T>
void write_raw(const Json& request, const std::vector<T>& values) {
  std::ofstream file(request.at("output").get<std::string>(), std::ios::binary);
  file.write(reinterpret_cast<const char*>(values.data()),
             static_cast<std::streamsize>(values.size() * sizeof(T)));
}

Json answer_image(const Json& request, const Image& image) {
  write_raw(request, image.pixels);
  return {{"width", image.width}, {"height", image.height}};
}

Resizing resizing_of(const Json& request) {
  const auto rectangle = [&](const char* name) {
    const auto& values = request.at(name);
    return Rectangle{values.at(0), values.at(1), values.at(2), values.at(3)};
  };
  return {rectangle("crop"), request.at("width"), request.at("height"), rectangle("window"),
          request.value("filter", "bicubic") == "bicubic" ? Filter::kBicubic : Filter::kBilinear};
}

experiments::Recipe recipe_of(const Json& request) {
  experiments::Recipe recipe;
  for (const auto& [name, value] : request.at("recipe").items()) {
    experiments::set_recipe_field(recipe, name, value);
  }
  return recipe;
}

// The samples that a shard reads in the first steps.
Json plan(const Json& request) {
  const training::TrainingPlan plan(recipe_of(request), request.at("seed"), request.at("count"));
  Json samples = Json::array();
  for (int64_t step = 0; step < plan.total_steps(); ++step) {
    for (const training::Draw& draw : plan.shard(step, request.at("shard")))
      samples.push_back(draw.sample);
  }
  return {{"samples", samples}, {"steps_per_epoch", plan.steps_per_epoch()}};
}

// The whole of a training image's way, drawn from (seed, epoch, position).
Json transform(const Json& request, const std::string& bytes) {
  const experiments::Recipe recipe = recipe_of(request);
  const int side = request.at("side");
  const AugmentationSettings settings = augmentation_settings(recipe, side);
  Random random(request.at("seed"), RandomPurpose::kAugment, request.at("epoch"),
                request.at("position"));
  const bool mirrored = random.uniform() < recipe.horizontal_flip;
  const Augmentation augmentation =
      draw_augmentation(settings, decode_size(bytes, "input"), mirrored, random);
  const Image image = augment(augmentation, bytes, "input");
  std::vector<float> values(image.pixels.size());
  for (size_t i = 0; i < values.size(); ++i) {
    values[i % 3 * values.size() / 3 + i / 3] = image.pixels[i];
  }
  if (augmentation.erased) erase(*augmentation.erased, side, random, values.data());
  write_raw(request, values);
  return {{"operations", augmentation.operations.size()},
          {"erased", augmentation.erased.has_value()}};
}

Json answer(const Json& request) {
  const std::string what = request.at("what");
  if (what == "plan") return plan(request);
  const std::string bytes = read_file(request.at("input").get<std::string>());
  if (what == "size") {
    const ImageSize size = decode_size(bytes, "input");
    return {{"width", size.width}, {"height", size.height}};
  }
  if (what == "decode") return answer_image(request, decode_image(bytes, "input"));
  if (what == "resize") {
    return answer_image(request, decode_resized(bytes, "input", resizing_of(request)));
  }
  if (what == "centre") {
    const Resizing resizing =
        centre_resizing(decode_size(bytes, "input"), request.at("side"), request.at("crop"));
    return answer_image(request, decode_resized(bytes, "input", resizing));
  }
  if (what == "operation") {
    const auto operation = static_cast<Operation>(request.at("operation").get<int>());
    Image image = decode_image(bytes, "input");
    apply_operation(
        {operation, strength_of(operation, request.at("magnitude"), request.at("negative"))},
        image);
    return answer_image(request, image);
  }
  if (what == "transform") return transform(request, bytes);
  fail_input("unknown request {}", what);
}

}  // namespace
}  // namespace remixer::data

int main() {
  std::string line;
  while (std::getline(std::cin, line)) {
    try {
      std::cout << remixer::data::answer(remixer::Json::parse(line)).dump() << std::endl;
    } catch (const std::exception& error) {
      std::cout << remixer::Json{{"error", error.what()}}.dump() << std::endl;
    }
  }
}
