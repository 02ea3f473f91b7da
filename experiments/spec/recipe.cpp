// SPDX-License-Identifier: Apache-2.0
#include "experiments/spec/recipe.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/object_reader.h"
#include "experiments/spec/rand_augment.h"

namespace remixer::experiments {
namespace {

// Allowed values, bounds included.
struct Range {
  double low = 0;
  double high = std::numeric_limits<double>::infinity();
};
constexpr double kAboveZero = std::numeric_limits<double>::denorm_min();
constexpr double kBelowOne = 1 - std::numeric_limits<double>::epsilon() / 2;
constexpr Range kPositive{kAboveZero};
constexpr Range kNotNegative{0};
constexpr Range kProbability{0, 1};
constexpr Range kFraction{0, kBelowOne};
constexpr Range kShare{kAboveZero, 1};
// Allowed words.
using Words = std::initializer_list<const char*>;

// The fields present in every recipe's JSON: v(name, member, range or words) for each.
template <typename V>
void each_first_field(V&& v) {
  v("epochs", &Recipe::epochs, Range{1, 1e6});
  v("shards", &Recipe::shards, Range{1, 4096});
  v("shard_size", &Recipe::shard_size, Range{1, 65536});
  v("learning_rate", &Recipe::learning_rate, kPositive);
  v("learning_rate_batch", &Recipe::learning_rate_batch, kNotNegative);
  v("kappa_lr", &Recipe::kappa_lr, kNotNegative);
  v("weight_decay", &Recipe::weight_decay, kNotNegative);
  v("beta1", &Recipe::beta1, kFraction);
  v("beta2", &Recipe::beta2, kFraction);
  v("epsilon", &Recipe::epsilon, kPositive);
  v("clip_gradient", &Recipe::clip_gradient, kNotNegative);
  v("warmup_epochs", &Recipe::warmup_epochs, kNotNegative);
  v("warmup_rate", &Recipe::warmup_rate, kNotNegative);
  v("min_rate", &Recipe::min_rate, kNotNegative);
  v("schedule_unit", &Recipe::schedule_unit, Words{"epoch", "step", "released"});
  v("label_smoothing", &Recipe::label_smoothing, kFraction);
  v("mixup", &Recipe::mixup, kNotNegative);
  v("cutmix", &Recipe::cutmix, kNotNegative);
  v("mix_probability", &Recipe::mix_probability, kProbability);
  v("mix_switch", &Recipe::mix_switch, kProbability);
  v("horizontal_flip", &Recipe::horizontal_flip, kProbability);
  v("drop_path", &Recipe::drop_path, kFraction);
  v("ema_decay", &Recipe::ema_decay, kFraction);
}

// Fields added later, left out of the JSON at their default, which must never change.
template <typename V>
void each_later_field(V&& v) {
  v("image_size", &Recipe::image_size, Range{0, 8192});
  v("random_resized_crop", &Recipe::random_resized_crop, Range{});
  v("crop_area_low", &Recipe::crop_area_low, kShare);
  v("crop_area_high", &Recipe::crop_area_high, kShare);
  v("crop_ratio_low", &Recipe::crop_ratio_low, kPositive);
  v("crop_ratio_high", &Recipe::crop_ratio_high, kPositive);
  v("rand_augment", &Recipe::rand_augment, Range{});
  v("random_erasing", &Recipe::random_erasing, kProbability);
  v("repeated_augmentation", &Recipe::repeated_augmentation, Range{1, 64});
  v("evaluation_crop", &Recipe::evaluation_crop, kShare);
  v("strict_images", &Recipe::strict_images, Range{});
  v("hold_out", &Recipe::hold_out, kFraction);
  v("token_labeling", &Recipe::token_labeling, Words{"none", "oamixer", "original"});
  v("token_weight", &Recipe::token_weight, kNotNegative);
  v("label_mix", &Recipe::label_mix, Words{"probabilities", "logits"});
  v("cutmix_box", &Recipe::cutmix_box, Words{"pixels", "patches"});
  v("erased_labels", &Recipe::erased_labels, Words{"background", "kept"});
}

// All fields that a grid file may set.
template <typename V>
void each_field(V&& v) {
  each_first_field(v);
  each_later_field(v);
}

std::string range_text(const Range& range) {
  const std::string low =
      range.low == kAboveZero ? "above 0" : fmt::format("at least {:.15g}", range.low);
  if (std::isinf(range.high)) return low;
  return low + (range.high == kBelowOne ? " and below 1"
                                        : fmt::format(" and at most {:.15g}", range.high));
}

void check(const char* name, double value, const Range& range) {
  if (value < range.low || value > range.high) {
    fail_input("recipe.{} is {}; it must be {}", name, value, range_text(range));
  }
}
void check(const char* name, const std::optional<double>& value, const Range& range) {
  if (value) check(name, *value, range);
}
void check(const char* name, int64_t value, const Range& range) {
  check(name, static_cast<double>(value), range);
}
void check(const char*, bool, const Range&) {}
void check(const char* name, const std::string& value, const Range&) {
  assert(name == std::string_view("rand_augment"));
  parse_rand_augment(value, fmt::format("recipe.{}", name));
}
void check(const char* name, const std::string& value, const Words& words) {
  if (std::find(words.begin(), words.end(), value) == words.end()) {
    fail_input("recipe.{}: {}", name,
               unknown_name("value", value, std::vector<std::string>(words.begin(), words.end())));
  }
}

}  // namespace

std::vector<std::string> recipe_field_names() {
  std::vector<std::string> names;
  each_field([&](const char* name, auto, const auto&) { names.emplace_back(name); });
  return names;
}

void set_recipe_field(Recipe& recipe, const std::string& name, const Json& value) {
  bool found = false;
  each_field([&](const char* field, auto member, const auto& allowed) {
    if (name != field) return;
    found = true;
    ObjectReader::read(value, "recipe." + name, recipe.*member);
    check(field, recipe.*member, allowed);
  });
  if (!found) fail_input("recipe: {}", unknown_name("field", name, recipe_field_names()));
}

void check_recipe(const Recipe& recipe) {
  if (recipe.token_labeling == "none" && recipe.token_weight) {
    fail_input(
        "recipe.token_weight goes with token_labeling only: set that as well, or leave it out");
  }
  if (recipe.token_labeling == "original" && (recipe.mixup > 0 || recipe.cutmix > 0)) {
    fail_input(
        "recipe.token_labeling 'original' mixes by MixToken alone: set mixup = 0 and cutmix = 0");
  }
}

Json to_json(const Recipe& recipe) {
  static const Recipe defaults;
  Json json = {{"version", recipe.version}};
  each_first_field([&](const char* name, auto member, const auto&) {
    json[name] = ObjectWriter::write(recipe.*member);
  });
  each_later_field([&](const char* name, auto member, const auto&) {
    if (recipe.*member != defaults.*member) json[name] = ObjectWriter::write(recipe.*member);
  });
  return json;
}

Recipe recipe_from_json(const Json& json) {
  Recipe recipe;
  ObjectReader reader(json, "recipe");
  reader("version", recipe.version);
  const auto read = [&](const char* name, auto member, const auto& allowed) {
    reader(name, recipe.*member);
    check(name, recipe.*member, allowed);
  };
  each_first_field(read);
  each_later_field([&](const char* name, auto member, const auto& allowed) {
    if (json.contains(name)) read(name, member, allowed);
  });
  reader.finish();
  check_recipe(recipe);
  return recipe;
}

int64_t epoch_images(const Recipe& recipe, int64_t images) {
  const bool rounds = recipe.repeated_augmentation > 1 && images >= kAugmentationRound;
  return rounds ? images / kAugmentationRound * kAugmentationRound : images;
}

}  // namespace remixer::experiments
