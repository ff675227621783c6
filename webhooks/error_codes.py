"""Every error code an answer may carry: what it means and what to do. The page /docs/errors/ is made of this."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ErrorCode:
    code: str
    meaning: str
    remedy: str
    group: str = ""


def _group(name: str, **codes: tuple[str, str]) -> list[ErrorCode]:
    return [ErrorCode(code, meaning, remedy, name) for code, (meaning, remedy) in codes.items()]


WORDING = _group(
    "The message cannot be read (HTTP 400): nothing was sent",
    EMPTY=(
        "The body holds no command.",
        "Send the command as plain text: SYMBOL on EXCHANGE, then what to do.",
    ),
    NOT_TEXT=("The body is JSON or binary.", "Send plain UTF-8 text, without quotes and brackets around it."),
    UNREADABLE=(
        "flipr failed to read the message: a mistake of flipr, which is in its log.",
        "Write it another way; sending it again as it is will not help.",
    ),
    MESSAGE_TOO_LONG=("The message is longer than 16 KiB.", "Split it into several messages."),
    NO_HEADER=(
        "The message does not begin with SYMBOL on EXCHANGE.",
        "Begin like this: BTCUSDT on Binance_F.",
    ),
    MISSING_ON=('The word "on" is missing between symbol and exchange.', "Write BTCUSDT on Binance_F."),
    MISSING_EXCHANGE=('No exchange follows "on".', "Write BTCUSDT on Binance_F."),
    UNKNOWN_EXCHANGE=("No exchange has this name.", "See the hint for the nearest one."),
    UNKNOWN_MARKET=(
        "The exchange has no market with this ending.",
        "_F is futures, _S spot, _C coin-margined.",
    ),
    OTHER_CONTRACT=(
        "This is the name of another kind of contract: one settled in dollars behind _C, or one margined in coins.",
        "Change the mark of the exchange, or write the plain pair.",
    ),
    BAD_SYMBOL=("This is not a symbol.", "Write it as the exchange does, for example BTCUSDT or BTC/USDT."),
    NO_COMMAND=(
        "A symbol and an exchange, and nothing to do.",
        "Add a command, for example: market long 0.01.",
    ),
    UNKNOWN_WORD=("No command begins with this word.", "See the hint for the nearest word."),
    STRAY_WORD=("This word cannot stand here.", "Take it out, or put it next to the order it belongs to."),
    MISSING_WORD=("A word is missing here.", "The error names the words that may stand here."),
    TWICE=("The same option is given twice.", "Keep one of them."),
    OPTIONS_CLASH=("Two options exclude each other.", "Keep one of them."),
    OPTION_ON_MARKET=("This option needs a price to wait at.", "Use a limit order, or leave the option out."),
    UNCLOSED_QUOTE=("A quotation mark is never closed.", 'Write the name like this: "my name".'),
    TOO_LONG=(
        "A name or a tag is too long.",
        "Shorten it: a tag has 64 characters at most, other names 200.",
    ),
    BAD_NOTE=("This is not a note.", 'Write it in quotes, for example: note "breakout".'),
    BAD_NOTIFY=("notify takes telegram, email, discord or none.", "Write for example: notify email."),
    NOT_FOR_ALL=("This command cannot act on all symbols at once.", "Name the symbols instead of *."),
    MISSING_NAME=("A name is missing.", "Write it after its word, for example: tag breakout."),
    UNKNOWN_SIDE=("The side is none of long, short, buy, sell.", "See the hint for the nearest word."),
    MISSING_SIDE=("The side is missing.", "Write long, short, buy or sell before the size."),
    CLOSE_SIDE=(
        "close takes long or short, because 'close sell' has two meanings.",
        "Write close long or close short.",
    ),
    MISSING_SIZE=("The size is missing.", "For example 0.01, 100$, 5% or risk 1%."),
    BAD_SIZE=("This is not a size that can be used here.", "For example 0.01, 100$, 5% or risk 1%."),
    SIZE_ZERO=("The size is zero.", "To leave a position write close, or go flat."),
    SIZE_NEGATIVE=("The size is negative.", "Sizes have no sign; the side is a word of its own."),
    FLAT_HAS_NO_SIZE=("go flat closes everything, so it has no size.", "Write go flat."),
    OVER_100_PERCENT=("More than the whole position.", "100% is the whole position."),
    BAD_SHARE=("This share of the order is not possible.", "Write for 50%, or for rest."),
    COMMA_IN_NUMBER=("A number holds a comma.", "Write a dot for decimals, and nothing for thousands."),
    NOT_A_NUMBER=(
        "TradingView sent NaN: the variable has no value on this bar.",
        "Use one that always has a value.",
    ),
    NUMBER_OUT_OF_RANGE=("The number is too large or too small.", "Check the unit and the number of digits."),
    UNKNOWN_UNIT=("The number has an unknown unit.", "See the hint for the units that fit."),
    MISSING_PRICE=("The price is missing.", "Write it after at, for example: at 60000."),
    BAD_PRICE=("This is not a price.", "Write a positive number, for example at 60000."),
    PRICE_NEEDS_AT=('A price stands where "at" should.', "Write at before the price."),
    PRICE_ON_MARKET=(
        "A market order has no price.",
        "Write limit instead of market, or leave the price out.",
    ),
    PRICE_BELOW_ZERO=("The offset leads to a price below zero.", "Use a smaller offset."),
    BAD_OFFSET=(
        "This is not an offset.",
        "Offsets have no sign: the side decides their direction. Write off 2%.",
    ),
    MISSING_OFFSET=('The value after "off" is missing.', "Write for example off 2%."),
    MISSING_LEVEL=("The level is missing.", "Write a price or an offset: sl at 58000, sl off 2%."),
    TWO_STOPS=("An order can have one stop.", "Keep one sl."),
    TWO_TARGETS=("Two targets have the same number.", "Number them tp1, tp2, up to tp9."),
    BAD_TARGET=("There is no target with this number.", "Targets are tp, tp1 to tp9."),
    TP_OVER_100=("The take profits add up to more than the position.", "Make them add up to 100% or less."),
    R_NEEDS_STOP=("R is the distance to the stop, and there is no stop.", "Add sl to the same order."),
    MISSING_AFTER=('"after" is missing.', "Write be after tp1."),
    BAD_CONDITION=("if takes flat, long, short, position or orders.", "Write for example: if flat."),
    BAD_TRIGGER=("The trigger is none of mark, last, index.", "Write for example: trigger mark."),
    BAD_CANCEL=("cancel does not take this word.", "all, entries, exits, sl, tp or dca; or tag NAME."),
    BAD_LEVERAGE=("This is not a leverage.", "Write for example lev 10x."),
    POST_ON_MARKET=("A market order cannot be maker only.", "Use limit with post."),
    BAD_DURATION=("This is not a duration.", "Write 500ms, 30s, 10m, 2h or 1d."),
    BAD_TIME=(
        "This is not a time.",
        "Write it in UTC like 2026-02-07T10:15:00Z; in TradingView use {{timenow}}.",
    ),
    VALID_NEEDS_SENT=("valid limits the age of a message, which needs sent.", "Add sent {{timenow}}."),
    BAD_THEN=("then takes market or cancel.", "Write then market."),
    THEN_NEEDS_FOR=(
        "then says what follows a time, and there is none.",
        "Write for example: for 60s then market.",
    ),
    BAD_COUNT=("This is not a number of orders.", "Write for example: in 5 orders."),
    BAD_FACTOR=("This is not a factor.", "Write for example: grow 1.5x."),
    MISSING_EVERY=('"every" and its distance are missing.', "Write for example: dca 4 orders every 1%."),
    DCA_ALONE=("dca needs an entry it belongs to.", "Put it after the entry."),
    PLACEHOLDER_NOT_FILLED=(
        "TradingView left a placeholder as it is.",
        "Check its spelling; strategy placeholders work in strategy alerts only.",
    ),
    NOT_YET=("flipr understands this word and does not carry it out yet.", "Leave it out for now."),
)

CALLING = _group(
    "The request is not accepted: nothing was sent",
    UNKNOWN_HOOK=("No hook has this address (HTTP 404).", "Copy the URL again from the hooks page."),
    WRONG_METHOD=("The address takes another HTTP method (HTTP 405).", "Send commands with POST."),
    UNKNOWN_OPTION=("The URL has an option flipr does not know (HTTP 400).", "There are ?wait= and ?dry=."),
    BAD_WAIT=("The time to wait is not between 0 and 30 seconds (HTTP 400).", "Write for example ?wait=15."),
    BAD_DRY=("dry is neither 1 nor 0 (HTTP 400).", "Write ?dry=1 for a dry run."),
    ID_REUSED=(
        "Another hook of yours has used this id for another message (HTTP 409), so that this one was not carried out.",
        "Put the name of the hook or of the strategy into the id: two strategies with one template share their ids.",
    ),
    BAD_ID=("The id is empty or too long (HTTP 400).", "Use 1 to 200 characters, or leave the header out."),
    TWO_IDS=("Message and Idempotency-Key name different ids (HTTP 400).", "Keep one of the two."),
    HOOK_PAUSED=(
        "The hook or all trading is switched off (HTTP 403).",
        "Switch it on again in your settings.",
    ),
    SOURCE_NOT_ALLOWED=(
        "The hook takes nothing from this address (HTTP 403).",
        "Allow the address on the hook's page.",
    ),
    STALE=("The message is older than its valid (HTTP 409).", "Raise valid if such delays are acceptable."),
    SENT_IN_FUTURE=(
        "The message says that it was sent later than now, by more than 10 seconds (HTTP 409).",
        "Set the sender's clock; write sent in UTC.",
    ),
    TOO_MANY=(
        "Too many messages (HTTP 429), or too many parts in one (HTTP 400): a message has 20 blocks at most, a block 50 symbols, 20 accounts and 50 steps, and symbols x accounts x steps come to 200 at most over all blocks.",
        "Wait as long as Retry-After says, or split the message.",
    ),
    UNAVAILABLE=(
        "flipr could not queue the message (HTTP 503).",
        "Send it again; TradingView does so by itself.",
    ),
    FLIPR_FAILED=(
        "flipr itself failed before the message was queued (HTTP 500): nothing was sent.",
        "The mistake is in flipr's log; sending it again will hardly help.",
    ),
    QUEUE_DOWN=("The region next to the exchange cannot be reached.", "Send it again."),
    REGION_DOWN=(
        "No worker is up in the region next to the exchange (HTTP 503 when nothing else was asked for).",
        "Send it again; the status page tells when it is back.",
    ),
)

CHECKS = _group(
    "The command was understood and refused before it was sent (HTTP 422, or 403)",
    NO_ACCOUNT=("There is no key for this exchange.", "Add one on the accounts page."),
    AMBIGUOUS_ACCOUNT=("Several keys fit.", "Name one with using, or make one the default."),
    ACCOUNT_PAUSED=(
        "The key is paused, or the exchange rejected it.",
        "Resume or replace it on the accounts page.",
    ),
    KEY_UNREADABLE=("The stored key cannot be opened.", "Enter the key again on the accounts page."),
    LIMIT_BY_PLAN=("Your plan does not include this.", "Change the plan."),
    BLOCKED_BY_RULE=("One of your own risk rules forbids it.", "Change the rule, or the order."),
    UNKNOWN_SYMBOL=("The exchange has no such symbol.", "See the hint for the nearest ones."),
    NOT_ON_SPOT=(
        "Spot has no leverage, no shorts, and no reduce-only orders.",
        "Use the futures market: add _F.",
    ),
    NOT_SUPPORTED=("The exchange does not offer this.", "The error names what is missing."),
    BELOW_MIN_SIZE=("The quantity is below the exchange's minimum.", "The error shows both numbers."),
    BELOW_MIN_NOTIONAL=(
        "The order's value is below the exchange's minimum.",
        "The error shows both numbers.",
    ),
    ABOVE_MAX_SIZE=("The quantity is above the exchange's maximum.", "The error shows both numbers."),
    LEVERAGE_TOO_HIGH=("The symbol does not allow this leverage.", "The error shows the maximum."),
    RISK_NEEDS_STOP=("A size by risk needs a stop in the same order.", "Add sl to the order."),
    STOP_WRONG_SIDE=(
        "The stop would be hit at once.",
        "A long's stop lies below the price, a short's above.",
    ),
    TP_WRONG_SIDE=(
        "The target would be hit at once.",
        "A long's target lies above the price, a short's below.",
    ),
    OTHER_CURRENCY=(
        "The size is in dollars, and the market is priced in something else: ETHBTC in BTC.",
        "Write how many coins, or a percentage.",
    ),
    SAME_MARKET=(
        "Two symbols of one block are the same market on this exchange: BTCUSDT and BTCUSDC where there is one of them.",
        "Leave one of the two out.",
    ),
    NOT_ENOUGH_BALANCE=("The account holds too little.", "Lower the size, or add funds."),
    NO_POSITION=("There is no position to act on.", "Open one first."),
    NO_PRICE=("There is no price to calculate with.", "Try again, or give the price."),
    TWO_POSITIONS=("A long and a short are open.", "Name the side you mean."),
    STOP_IN_THE_WAY=(
        "On spot, coins that wait at a limit to be sold would have no stop.",
        "Write tp with the price: flipr keeps the stop until it is reached.",
    ),
    NOTHING_TO_DO=("What was asked for is already so.", "Nothing to do."),
    OVERTAKEN=(
        "A message that was sent later had set the position already.",
        "Nothing to do: the last one sent counts.",
    ),
    STEP_SKIPPED=(
        "An earlier step of the same message failed, so this one was left out.",
        "See the error before it.",
    ),
    EXPIRED=(
        "The order waited too long, here or for the exchange, and was not sent: a late order is worse than none.",
        "Send it again.",
    ),
)

EXCHANGE = _group(
    "What the exchange, or the way to it, said",
    EXCHANGE_ERROR=("The exchange answered with an error.", "Its own words are in exchange_message."),
    REFUSED=("The exchange refused the order.", "Its own words are in exchange_message."),
    INVALID_ORDER=("The exchange does not accept these values.", "Its own words are in exchange_message."),
    KEY_REFUSED=(
        "The exchange does not accept the key.",
        "Check its rights and address lock, or replace it.",
    ),
    CLOCK_REFUSED=("The exchange finds our clock wrong.", "flipr corrects it by itself; send it again."),
    POSITION_MODE=("Position mode and order do not fit.", "Send it again: flipr reads the mode anew."),
    POST_ONLY_REFUSED=(
        "A maker-only order would have traded at once.",
        "Use a price further away, or leave out post.",
    ),
    WOULD_TRIGGER=("The price has already crossed the level.", "Use a level further away."),
    ORDER_NOT_FOUND=("The exchange does not know the order.", "It may be filled or cancelled already."),
    DUPLICATE_ORDER=("The exchange already has this order.", "flipr looks it up; nothing to do."),
    MARKET_CLOSED=("The exchange does not trade this symbol now.", "Try again when it does."),
    MAINTENANCE=("The exchange is under maintenance.", "Try again when it is back."),
    EXCHANGE_DOWN=(
        "The exchange does not answer at present, so that the entry was not sent.",
        "Send it again when the status page shows the exchange as operational.",
    ),
    WORKER_DIED=(
        "The worker died while it was at it.",
        "Send it again: it does the same twice without harm.",
    ),
    NOT_FILLED=(
        "The exchange ended the order without filling any of it.",
        "An ioc, fok or post order depends on the prices of that moment: choose another price, or leave the word out.",
    ),
    HALF_DONE=(
        "Of two orders one was carried out: the old position may have been closed and the new one was not opened, or of two sides one was closed.",
        "Look at the position before you send it again.",
    ),
    EXCHANGE_BUSY=(
        "Too many orders wait for this exchange already, so that this one was not sent.",
        "Send it again in a while.",
    ),
    THROTTLED=("The exchange limits requests.", "Try again after the time given."),
    NOT_SENT=("The order never reached the exchange.", "It is safe to send the message again."),
    OUTCOME_UNKNOWN=(
        "Nobody knows yet whether the exchange took the order.",
        "Do not send it again: flipr asks until it knows, and the result page then shows it.",
    ),
    HISTORY_INCOMPLETE=(
        "The order has this end, and what the exchange told besides could not be written down.",
        "Look at the order on the exchange.",
    ),
    ENDED_UNSEEN=(
        "The exchange does not know the resting order any more; whether it filled before, it does not tell.",
        "Look at the position and at the order history on the exchange.",
    ),
    MARKET_UNLISTED=(
        "The exchange does not list the market of the resting order any more: whether it filled, nobody can ask.",
        "Look at the position and at the order history on the exchange. Should the market come back, flipr follows the order again.",
    ),
    NOT_MODIFIED=("The order is already as wanted.", "Nothing to do."),
    PROTECTION_FAILED=(
        "The position stands, and its stop or a target could not be placed.",
        "Look at the position now. The hook's policy says whether flipr closed it.",
    ),
    LEFT_OPEN=(
        "Every position was to be closed, and one is still open, or nobody knows: the message names it and says why.",
        "Look at it: send the message again, or close it on the exchange's site.",
    ),
    NOT_CLOSED=("The position could not be closed.", "Look at it on the exchange now."),
)

GROUPS = (WORDING, CALLING, CHECKS, EXCHANGE)
CODES = {entry.code: entry for group in GROUPS for entry in group}
