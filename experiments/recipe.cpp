#include "experiments/recipe.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

#include "core/base/error.h"
#include "experiments/object.h"
#include "experiments/rand_augment.h"

namespace remixer::experiments {
namespace {

// Allowed values, both ends included.
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
using Words = std::vector<std::string>;

// The fields that stand in every recipe's JSON: v(name, field, range) for each.
template <typename R, typename V>
void each_first_field(R& recipe, V&& v) {
  v("epochs", recipe.epochs, Range{1, 1e6});
  v("shards", recipe.shards, Range{1, 4096});
  v("shard_size", recipe.shard_size, Range{1, 65536});
  v("learning_rate", recipe.learning_rate, kPositive);
  v("learning_rate_batch", recipe.learning_rate_batch, kNotNegative);
  v("kappa_lr", recipe.kappa_lr, kNotNegative);
  v("weight_decay", recipe.weight_decay, kNotNegative);
  v("beta1", recipe.beta1, kFraction);
  v("beta2", recipe.beta2, kFraction);
  v("epsilon", recipe.epsilon, kPositive);
  v("clip_gradient", recipe.clip_gradient, kNotNegative);
  v("warmup_epochs", recipe.warmup_epochs, kNotNegative);
  v("warmup_rate", recipe.warmup_rate, kNotNegative);
  v("min_rate", recipe.min_rate, kNotNegative);
  v("schedule_unit", recipe.schedule_unit, Words{"epoch", "step", "released"});
  v("label_smoothing", recipe.label_smoothing, kFraction);
  v("mixup", recipe.mixup, kNotNegative);
  v("cutmix", recipe.cutmix, kNotNegative);
  v("mix_probability", recipe.mix_probability, kProbability);
  v("mix_switch", recipe.mix_switch, kProbability);
  v("horizontal_flip", recipe.horizontal_flip, kProbability);
  v("drop_path", recipe.drop_path, kFraction);
  v("ema_decay", recipe.ema_decay, kFraction);
}

// Those that came later, left out of the JSON at their default, which must never change.
template <typename R, typename V>
void each_later_field(R& recipe, V&& v) {
  v("image_size", recipe.image_size, Range{0, 8192});
  v("random_resized_crop", recipe.random_resized_crop, Range{});
  v("crop_area_low", recipe.crop_area_low, kShare);
  v("crop_area_high", recipe.crop_area_high, kShare);
  v("crop_ratio_low", recipe.crop_ratio_low, kPositive);
  v("crop_ratio_high", recipe.crop_ratio_high, kPositive);
  v("rand_augment", recipe.rand_augment, Range{});
  v("random_erasing", recipe.random_erasing, kProbability);
  v("repeated_augmentation", recipe.repeated_augmentation, Range{1, 64});
  v("evaluation_crop", recipe.evaluation_crop, kShare);
  v("strict_images", recipe.strict_images, Range{});
  v("hold_out", recipe.hold_out, kFraction);
  v("token_labeling", recipe.token_labeling, Words{"none", "oamixer", "original"});
  v("token_weight", recipe.token_weight, kNotNegative);
  v("label_mix", recipe.label_mix, Words{"probabilities", "logits"});
}

// All that a grid file may set.
template <typename R, typename V>
void each_field(R& recipe, V&& v) {
  each_first_field(recipe, v);
  each_later_field(recipe, v);
}

std::string range_text(const Range& range) {
  const std::string low =
      range.low == kAboveZero ? "above 0" : fmt::format("at least {:.15g}", range.low);
  if (std::isinf(range.high)) return low;
  return low + (range.high == kBelowOne ? " and below 1"
                                        : fmt::format(" and at most {:.15g}", range.high));
}

void check(const std::string& name, double value, const Range& range) {
  if (value < range.low || value > range.high) {
    fail_input("recipe.{} is {}; it must be {}", name, value, range_text(range));
  }
}
void check(const std::string& name, const std::optional<double>& value, const Range& range) {
  if (value) check(name, *value, range);
}
void check(const std::string& name, int64_t value, const Range& range) {
  check(name, static_cast<double>(value), range);
}
void check(const std::string&, bool, const Range&) {}
void check(const std::string& name, const std::string& value, const Range&) {
  assert(name == "rand_augment");
  parse_rand_augment(value, "recipe." + name);
}
void check(const std::string& name, const std::string& value, const Words& words) {
  if (std::find(words.begin(), words.end(), value) == words.end()) {
    fail_input("recipe.{}: {}", name, unknown_name("value", value, words));
  }
}

}  // namespace

std::vector<std::string> recipe_field_names() {
  std::vector<std::string> names;
  Recipe recipe;
  each_field(recipe, [&](const char* name, auto&, const auto&) { names.emplace_back(name); });
  return names;
}

void set_recipe_field(Recipe& recipe, const std::string& name, const Json& value) {
  bool found = false;
  each_field(recipe, [&](const char* field, auto& target, const auto& allowed) {
    if (name != field) return;
    found = true;
    ObjectReader::read(value, "recipe." + name, target);
    check(name, target, allowed);
  });
  if (!found) fail_input("recipe: {}", unknown_name("field", name, recipe_field_names()));
}

void check_recipe(const Recipe& recipe) {
  if (recipe.token_labeling == "none" && recipe.token_weight) {
    fail_input("recipe.token_weight goes with token_labeling only: set that as well, or leave it out");
  }
  if (recipe.token_labeling == "original" && (recipe.mixup > 0 || recipe.cutmix > 0)) {
    fail_input("recipe.token_labeling 'original' mixes by MixToken alone: set mixup = 0 and cutmix = 0");
  }
}

Json to_json(const Recipe& recipe) {
  Json json = {{"version", recipe.version}};
  const auto write = [&](const char* name, const auto& field, const auto&) {
    json[name] = ObjectWriter::write(field);
  };
  each_first_field(recipe, write);
  Json later = Json::object();
  const Recipe defaults;
  each_later_field(defaults, [&](const char* name, const auto& field, const auto&) {
    later[name] = ObjectWriter::write(field);
  });
  each_later_field(recipe, [&](const char* name, const auto& field, const auto& allowed) {
    if (ObjectWriter::write(field) != later[name]) write(name, field, allowed);
  });
  return json;
}

Recipe recipe_from_json(const Json& json) {
  Recipe recipe;
  ObjectReader reader(json, "recipe");
  reader("version", recipe.version);
  const auto read = [&](const char* name, auto& field, const auto& allowed) {
    reader(name, field);
    check(name, field, allowed);
  };
  each_first_field(recipe, read);
  each_later_field(recipe, [&](const char* name, auto& field, const auto& allowed) {
    if (json.contains(name)) read(name, field, allowed);
  });
  reader.finish();
  check_recipe(recipe);
  return recipe;
}

}  // namespace remixer::experiments
