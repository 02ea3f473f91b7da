// SPDX-License-Identifier: Apache-2.0
#include "experiments/spec/recipe.h"

#include "experiments/spec/rand_augment.h"
#include "tests/experiments/expect_error.h"

namespace remixer::experiments {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(Recipe, SurvivesJson) {
  Recipe recipe;
  recipe.epochs = 8;
  recipe.kappa_lr = 1e-2;
  recipe.schedule_unit = "step";
  recipe.ema_decay = 0.99996;
  recipe.hold_out = 0.1;
  recipe.token_labeling = "oamixer";
  recipe.token_weight = 0.25;
  const Recipe back = recipe_from_json(Json::parse(to_json(recipe).dump()));
  EXPECT_EQ(back, recipe);
  EXPECT_EQ(recipe_from_json(to_json(Recipe{})), Recipe{});
  EXPECT_FALSE(recipe_from_json(to_json(Recipe{})).kappa_lr);
}

// A value for the field that is not its default: the first one that it takes.
Json another_value(const std::string& name) {
  for (const Json& value : {Json(0.25), Json(7), Json(true), Json("step"), Json("rand-m9-inc1"),
                            Json("oamixer"), Json("logits"), Json("patches"), Json("kept")}) {
    Recipe recipe;
    try {
      set_recipe_field(recipe, name, value);
      return value;
    } catch (const InputError&) {
    }
  }
  ADD_FAILURE() << "no value for " << name;
  return {};
}

// Every field must reach the identity: set each to another value and see the JSON change.
TEST(Recipe, EveryFieldIsInTheJson) {
  const Json plain = to_json(Recipe{});
  for (const std::string& name : recipe_field_names()) {
    Recipe recipe;
    Json expected = plain;
    const Json value = another_value(name);
    set_recipe_field(recipe, name, value);
    EXPECT_FALSE(recipe == Recipe{}) << name;
    if (name == "token_weight") expected["token_labeling"] = recipe.token_labeling = "oamixer";
    expected[name] = value;
    EXPECT_EQ(to_json(recipe), expected) << name;
    EXPECT_EQ(recipe_from_json(expected), recipe) << name;
  }
}

// What was added after the first release is in the JSON only where it changes something.
TEST(Recipe, LaterFieldsAreLeftOutAtTheirDefaults) {
  EXPECT_EQ(to_json(Recipe{}).size(), 24u);
  Recipe recipe;
  set_recipe_field(recipe, "random_erasing", 0.25);
  EXPECT_EQ(to_json(recipe).size(), 25u);
  set_recipe_field(recipe, "random_erasing", 0);
  EXPECT_EQ(to_json(recipe), to_json(Recipe{}));
}

TEST(Recipe, ContradictionsAreNamed) {
  Recipe recipe;
  recipe.token_weight = 1;
  EXPECT_THAT(input_error([&] { check_recipe(recipe); }), HasSubstr("token_weight"));
  recipe.token_labeling = "original";
  EXPECT_THAT(input_error([&] { check_recipe(recipe); }),
              HasSubstr("set mixup = 0 and cutmix = 0"));
  EXPECT_THAT(input_error([&] { recipe_from_json(to_json(recipe)); }), HasSubstr("MixToken"));
  recipe.mixup = recipe.cutmix = 0;
  check_recipe(recipe);
  EXPECT_EQ(recipe_from_json(to_json(recipe)), recipe);
}

TEST(Recipe, ReadsRandAugmentAsTimmWritesIt) {
  EXPECT_EQ(parse_rand_augment("none", "x"), RandAugment{});
  EXPECT_EQ(parse_rand_augment("rand-m9-mstd0.5-inc1", "x"), (RandAugment{2, 9, 0.5, 0.5}));
  EXPECT_EQ(parse_rand_augment("rand-n3-inc1-p0.25", "x"), (RandAugment{3, 10, 0, 0.25}));
  const std::pair<const char*, const char*> bad[] = {
      {"augmix-m5", "neither \"none\" nor a policy"},
      {"rand-m9-mstd0.5", "lacks inc1"},
      {"rand-m11-inc1", "'m11' is not one of"},
      {"rand-m9x-inc1", "'m9x' is not one of"},
      {"rand-inc0", "'inc0' is not one of"},
      {"rand-n2.5-inc1", "'n2.5' is not one of"},
      {"rand-m9-inc1-m8", "'m' is given twice"},
      {"rand--inc1", "'' is not one of"},
      {"", "neither"},
  };
  for (const auto& [text, message] : bad) {
    Recipe recipe;
    EXPECT_THAT(input_error([&] { set_recipe_field(recipe, "rand_augment", text); }),
                AllOf(HasSubstr("recipe.rand_augment: "), HasSubstr(message)));
  }
}

TEST(Recipe, RefusesValuesOutOfRange) {
  const std::pair<const char*, Json> bad[] = {
      {"epochs", 0},           {"shards", 0},
      {"shard_size", -1},      {"learning_rate", 0},
      {"learning_rate", -1},   {"kappa_lr", -0.1},
      {"weight_decay", -1},    {"beta1", 1},
      {"epsilon", 0},          {"clip_gradient", -1},
      {"label_smoothing", 1},  {"mixup", -0.5},
      {"hold_out", 1},         {"token_weight", -1},
      {"horizontal_flip", 2},  {"drop_path", 1},
      {"mix_probability", -1}, {"ema_decay", 1.5},
      {"image_size", -1},      {"crop_area_low", 0},
      {"crop_ratio_low", 0},   {"random_erasing", 2},
      {"evaluation_crop", 0},  {"repeated_augmentation", 0},
  };
  for (const auto& [name, value] : bad) {
    Recipe recipe;
    EXPECT_THAT(input_error([&] { set_recipe_field(recipe, name, value); }),
                HasSubstr("recipe." + std::string(name) + " is " + value.dump() + "; it must be"));
    Json json = to_json(Recipe{});
    json[name] = value;
    EXPECT_THAT(input_error([&] { recipe_from_json(json); }), HasSubstr(name));
  }
}

TEST(Recipe, NamesWhatIsWrong) {
  Recipe recipe;
  EXPECT_EQ(input_error([&] { set_recipe_field(recipe, "epohcs", 3); }),
            "recipe: unknown field 'epohcs'; did you mean 'epochs'?");
  EXPECT_EQ(input_error([&] { set_recipe_field(recipe, "epochs", 2.5); }),
            "recipe.epochs must be an integer, not a number");
  EXPECT_EQ(input_error([&] { set_recipe_field(recipe, "beta1", "0.9"); }),
            "recipe.beta1 must be a number, not a string");
  EXPECT_EQ(input_error([&] { set_recipe_field(recipe, "schedule_unit", "steps"); }),
            "recipe.schedule_unit: unknown value 'steps'; did you mean 'step'?");
  Json json = to_json(Recipe{});
  json.erase("mixup");
  EXPECT_EQ(input_error([&] { recipe_from_json(json); }), "recipe: field 'mixup' is missing");
  json = to_json(Recipe{});
  json["mixupp"] = 1;
  EXPECT_EQ(input_error([&] { recipe_from_json(json); }),
            "recipe: unknown field 'mixupp'; did you mean 'mixup'?");
  EXPECT_EQ(input_error([&] { recipe_from_json(Json::array()); }),
            "recipe must be an object, not an array");
}

}  // namespace
}  // namespace remixer::experiments
