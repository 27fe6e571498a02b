"""Rows of our own in the published forms of LAMBADA, ARC and PIQA, with what is awkward in them: white space at the ends
of questions and contexts, choices of unequal length and equal ones, letters of several bytes, last words of many tokens."""

TEXTS = [
    "The lamp went out again, so Mara felt along the wall until her fingers found the switch",
    "They had packed bread, cheese and two apples, and at noon they ate the bread first and then the apples",
    "My uncle repairs clocks. Ask him about anything else and he will still tell you about clocks",
    "The ferry leaves at six. If we miss it, we sleep on this side of the river, for there is no other ferry",
    "\"Is it deep?\" asked Jon, and threw a pebble. It took a long time to hit the water, so yes, it was deep",
    "She counted the sheep twice, and twice one was missing. The dog looked as if it knew about the missing sheep",
    "He painted the door green, then blue, and then, because the neighbours laughed, he painted it green",
    "Snow fell on the roofs, on the road and on the cat, who did not like the snow",
    "The old map showed a well behind the chapel. We dug for a day, and there was no well",
    "Nobody had the key, so the chest stood in the hall for years, and guests still ask about the chest",
    "A violin hung over the stove. On feast days grandfather took it down and played the violin",
    "We asked for soup. The cook said that there was only soup",
    "The letter was short. It said that the house was sold and that the garden went with the house",
    "First the radio crackled, then somebody sang, and we all stood still around the radio",
    "Five of us went up the tower and four came down, for Lena had stayed to draw the view from the tower",
    "The baker's oven broke on a Friday, and until Monday the street did not smell of bread",
    "In the café they drew a heart into the foam, and he, who never smiled, smiled at the café",
    "The word on the stone was worn. I read it as \u201ewater\u201c, my brother as \u201ewinter\u201c, and the guide as\u00a0 water",
    "There were two doors, one of oak and one of iron, and the handle was missing on the one of\n iron",
    "The child named the snail Bartholomew, and every morning there was a leaf for Bartholomew",
    "You can hear the mill from here: it clatters by day, it clatters by night, it is never a quiet mill",
    "I have read the book from the end to the beginning, and it is a better book",
    "Her coat had seven buttons, no two alike, and she had sewn on every one of the buttons",
    "When the circus came, the horses slept in our barn, and for a week the hens did not dare to enter the barn",
]

# (question, choices, the right one)
QUESTIONS = [
    ("What do plants take in through their roots?", ["water", "light", "sound", "wind"], 0),
    ("Which of these melts when it is put into a warm room?", ["a stone", "an ice cube", "a brick", "a fork"], 1),
    ("Why does a wet street dry in the sun?", ["The water evaporates.", "The street drinks.", "Cars carry all of it away.",
                                             "It does not."], 0),
    ("Which animal lays eggs?", ["cow", "cat", "hen", "horse"], 2),
    ("What keeps the planets near the sun?", ["gravity", "friction", "magnets in their cores, which pull", "habit"], 0),
    ("A spoon in hot tea becomes hot. What has happened?", ["Heat was conducted.", "The spoon burned.", "Tea is metal."], 0),
    (" Which season follows spring?", ["autumn", "summer", "winter", "spring"], 1),
    ("What does a thermometer measure? ", ["length", "weight", "temperature", "time"], 2),
    ("Which of these is a gas at room temperature?\n", ["iron", "oxygen", "salt", "oil", "sand"], 1),
    ("What makes a shadow?", ["light that is blocked", "light that is bent twice", "cold air", "damp"], 0),
    ("Which is the largest?", ["an ant", "a mouse", "an elephant", "a dog"], 2),
    ("How does sound reach the ear?", ["through the air", "through the air", "by light", "by post"], 0),
    ("What do bees make?", ["honey", "silk", "wool", "milk"], 0),
    ("Which material lets light through?", ["glass", "wood", "iron", "cardboard"], 0),
    ("What is at the centre of the solar system?", ["the sun", "the moon", "the earth", "Pluto, which is a dwarf planet"], 0),
    ("Question: which part of a plant makes most of its food?", ["leaf", "root", "flower", "bark"], 0),
    ("What happens to most things when they are heated?", ["They expand.", "They shrink.", "They vanish.", "Nothing."], 0),
    ("Which force slows a sledge on grass?", ["friction", "gravity", "steam", "the pull of the north pole"], 0),
    ("Which temperature does water boil at, at sea level?", ["0 °C", "50 °C", "100 °C", "200 °C"], 2),
    ("Which sense is the nose for?", ["smell", "sight", "hearing", "touch"], 0),
]

# (goal, one way, another, the right one)
GOALS = [
    ("How do you dry a wet book?", "Stand it up open in a draught.", "Fold it tightly and put it into a bag.", 0),
    ("stop a door from creaking", "Put salt on its hinges.", "Put a drop of oil on its hinges.", 1),
    ("To keep cut flowers fresh,", "put them into water.", "put them into an oven at a low heat for an hour.", 0),
    ("carry hot soup upstairs ", "Pour it into a flask first.", "Pour it into your hat first.", 0),
    ("Find out whether an egg is fresh.", "Ask it.", "Lay it into cold water and see whether it sinks.", 1),
    (" remove a splinter", "with tweezers", "with a spoon", 0),
    ("What is used to cut paper?", "scissors", "a ruler without an edge, gently", 0),
    ("How can I find my keys in the dark?", "Close your eyes.", "Use a torch.", 1),
    ("Question: how do I peel garlic quickly?", "Crush it with a knife.", "Freeze it into a block of ice.", 0),
    ("mark a trail in a wood", "Tie strips of cloth to branches.", "Tie strips of fog to branches.", 0),
    ("Sharpen a pencil", "with a knife", "with a knife", 1),
    ("keep ants out of the sugar", "Close the jar.", "Open the jar.", 0),
    ("How do I get candle wax off a table?\n", "Warm it and lift it off with a card.", "Paint it.", 0),
    ("Make a paper boat float longer.", "Wax the paper.", "Cut holes into its bottom.", 0),
    ("wake up in time", "set an alarm", "set a table", 0),
    ("Cool a drink without ice.", "Wrap the bottle into a wet cloth and stand it in the wind.", "Shake it by the fire.", 0),
    ("measure a cupboard without a ruler", "Use a strip of paper.", "Use a strip of water, which is longer.", 0),
    ("How to fill a crêpe?", "Spread jam on it, then fold it.", "Fold jam, then spread the crêpe.", 0),
    ("remember a number", "Say it aloud several times.", "Say another one aloud.", 0),
    ("Lift a heavy box", "with your knees bent", "with your eyes shut and your knees straight", 0),
]


def published():
    """The rows of each task as it is published."""
    letters = "ABCDE"
    return {
        "lambada_openai": [{"text": text} for text in TEXTS],
        "arc_easy": [{"question": asked, "choices": {"text": choices, "label": list(letters if i % 4 else "12345")[:len(choices)]},
                      "answerKey": (letters if i % 4 else "12345")[right]} for i, (asked, choices, right) in enumerate(QUESTIONS)],
        "piqa": [{"goal": goal, "sol1": one, "sol2": other, "label": right} for goal, one, other, right in GOALS],
    }
