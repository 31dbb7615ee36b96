# UrbanFits in English. Codes are mailed; the page asks for the code of a sign-up.

lasting = It works for { $minutes ->
    [one] { $minutes } minute
   *[other] { $minutes } minutes
}, once.

mail-code-subject = { $purpose ->
    [reset_password] Set a new password for { $name }
   *[other] Verify your email for { $name }
}
mail-code-title = { $name }
mail-code-sentence = { $code } is your { $name } verification code.
mail-code-lead = Your { $name } verification code:
mail-code-place = { $purpose ->
    [reset_password] Enter it with your new password. { lasting }
   *[other] Enter it on the page where you signed up. { lasting }
}
mail-code-page = The page, in the browser where you signed up:
mail-code-note = { $purpose ->
    [reset_password] If you did not ask for it, ignore this mail: your password stays as it is.
   *[other] If you did not sign up, ignore this mail: without the code there is no account.
}

link-sign-up = Sign up again
link-sign-in = Sign in
link-shop = Go to the shop
link-help = Help

page-more = More
page-label = 5-digit code
page-hint = No message after a minute or two? Look in your spam folder. Share the code with nobody.
page-no-script = This page needs JavaScript to check your code. Please allow it for this page and reload.

# The script of the page puts values in the place of variables other than $name and $count.
script-title = { $text } – { $name }
script-error = Error: { $text }
script-enter = Enter your code
script-sent = We sent it to your e-mail address. Enter it here to finish signing up.
script-sent-to = We sent it to { $to }. Enter it here to finish signing up.
script-confirm = Confirm
script-checking = Checking…
script-checking-status = Checking your code
script-missing = Please enter the 5-digit code.
script-length = The code has 5 digits; you entered { $digits }.
script-wrong = That code is not right. Please check it and try again.
script-done = You're registered
script-welcome = Welcome! You are signed in and can close this page.
script-welcome-user = Welcome, { $user }! You are signed in and can close this page.
script-over = This code no longer works
script-over-lead = It has expired, was already used, or was mistyped too often. Ask for a new one, or sign up again. { script-sign-in }
script-sign-in = If you have an account already, simply sign in.
script-taken = Already taken
script-taken-lead = In the meantime somebody registered with this e-mail address or username. Please sign up again with another one. { script-sign-in }
script-too-many = Too many tries. Please wait { $time }.
script-too-many-long = Too many tries. Please wait { $time }. If your code has expired by then, ask for a new one.
script-retry-in = Try again in { $time }
script-retry-now = You can try again now.
script-kept-failed = Something went wrong on our side. Your code is still here: please try again.
script-kept-offline = We could not reach { $name }. Your code is still here: please try again.
script-again = Send again
script-again-in = Send again in { $time }
script-sending = Sending…
script-sending-status = Sending a new code
script-resent = We sent a new code to { $to }. The code before does not work any more.
script-resent-status = A new code was sent.
script-ended = This sign-up has ended
script-ended-lead = It was completed, took too long, or its code was mistyped too often. Please sign up again. { script-sign-in }
script-no-new = No new code yet. Please wait { $time }.
script-failed = Something went wrong on our side. Please try again.
script-offline = We could not reach { $name }. Please try again.
script-incomplete = This link is incomplete
script-incomplete-lead = Please open the whole link in the browser where you signed up, or sign up again. { script-sign-in }
script-confirmed = Your address is confirmed
script-confirmed-lead = You have finished signing up already. There is nothing left to do here.

count-seconds = { $count ->
    [one] { $count } second
   *[other] { $count } seconds
}
count-minutes = { $count ->
    [one] { $count } minute
   *[other] { $count } minutes
}
# The plural category of a number (CLDR), equal in every language.
count-category = { $count ->
    [zero] zero
    [one] one
    [two] two
    [few] few
    [many] many
   *[other] other
}
