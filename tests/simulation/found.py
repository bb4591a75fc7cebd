"""Seeds that have shown a defect, and what it was. A change of the simulator may have such a seed play something else.

So each of them has a small test of its own too, in the room of the defect.
"""

FOUND = {
    13: "Of two workers asked with the same key at once each told its own ranks as the first answer.",
    83: "A board of a period told a sum that lacked what another worker had just committed: nobody ever had it.",
}
